//! What earlier releases showed: it can't be taken back, and what they hid stays hidden.

use super::description::Description;
use super::release::Release as Earlier;
use super::source::{Source, texts};
use super::table::HIDDEN;
use crate::disclosure::{Band, Policy, Treatment, numerators_of, numerators_of_hidden};
use crate::error::{Error, Result};
use crate::run::result;
use crate::store::{self, Stored};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use hashbrown::HashMap;
use std::path::Path;

/// The rows of a public table of earlier releases in a report year.
pub fn tables(public: &Path, earlier: &[Earlier], table: &str, year: i32) -> Result<Vec<RecordBatch>> {
    let files = earlier.iter().flat_map(|r| &r.files).filter(|f| f.table == table && f.report_year == year);
    files.map(|f| whole(public, &f.stored).and_then(|()| result::read(public, &f.stored.path, year))).collect()
}

/// Fails if a public file is not as it was published: what it showed must be known to whoever publishes more.
pub fn whole(public: &Path, file: &Stored) -> Result<()> {
    match store::is_whole(public, file) {
        true => Ok(()),
        false => Err(Error::Data(format!(
            "{}, which is public, is missing or damaged, and what it showed must be known to publish anything; restore it from a copy \
             (`perkins verify --read-data` lists all that is damaged)",
            public.join(&file.path).display()
        ))),
    }
}

/// How earlier releases showed each figure: of several, the most that any showed. A figure that had another value then is a new one, also where
/// only a bound was shown, and it is beyond that now.
pub fn treatments(description: &Description, source: &Source, policy: &Policy, earlier: &[RecordBatch]) -> Result<Vec<Option<Treatment>>> {
    let mut of: HashMap<(u32, u32, u32), usize> = HashMap::with_capacity(source.batch.num_rows());
    for row in 0..source.batch.num_rows() {
        of.insert((source.cohorts.of_row[row], source.entities.of_row[row], source.groups.of_row[row]), row);
    }
    let mut found: Vec<Option<Treatment>> = vec![None; source.batch.num_rows()];
    for batch in earlier {
        let keys = [&description.cohort[..], &description.entity[..], &description.group[..]];
        let keys = keys.map(|names| names.iter().map(|n| texts(batch, n)).collect::<Result<Vec<_>>>());
        let [cohort, entity, group] = keys;
        let (cohort, entity, group) = (cohort?, entity?, group?);
        let count = |name: Option<&String>| name.and_then(|n| batch.column_by_name(n)).and_then(|c| c.as_primitive_opt::<Int64Type>());
        let (denominator, numerator) = (count(Some(&description.denominator)), count(description.numerator.as_ref()));
        let shown = description.rate.as_ref().map(|r| texts(batch, &format!("{r}_shown"))).transpose()?;
        for row in 0..batch.num_rows() {
            let text = |columns: &[arrow::array::StringArray]| columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>();
            let key = (|| {
                Some((source.cohorts.find(&text(&cohort))?, source.entities.find(&text(&entity))?, source.groups.find(&text(&group))?))
            })();
            let Some(&now) = key.and_then(|k| of.get(&k)) else { continue };
            let was = |c: Option<&arrow::array::Int64Array>| c.filter(|c| c.is_valid(row)).map(|c| c.value(row));
            let treatment = match (was(denominator), was(numerator), shown.as_ref().map(|s| s.value(row))) {
                (None, _, _) => Some(Treatment::Hidden),
                (Some(d), _, _) if d != source.denominator[now] => None,
                (Some(_), _, None) => Some(Treatment::Shown),
                (Some(_), Some(n), _) if source.numerator.as_ref().is_some_and(|all| all[now] != n) => None,
                (Some(_), Some(_), _) => Some(Treatment::Shown),
                (Some(_), None, Some(HIDDEN)) => Some(Treatment::NumeratorHidden),
                (Some(_), None, Some(text)) => band(text).map(Treatment::Band),
            };
            let (d, n) = (source.denominator[now], source.numerator.as_ref().map(|all| all[now]));
            let (first, last) = match treatment {
                Some(Treatment::Band(band)) => numerators_of(band, d),
                Some(Treatment::NumeratorHidden) => numerators_of_hidden(policy, d),
                _ => (0, i64::MAX),
            };
            if let Some(treatment) = treatment.filter(|_| n.is_none_or(|n| (first..=last).contains(&n))) {
                found[now] = Some(found[now].map_or(treatment, |t| t.min(treatment)));
            }
        }
    }
    Ok(found)
}

/// Reads `> 95`.
fn band(text: &str) -> Option<Band> {
    let (sign, bound) = text.split_once(' ')?;
    Some(Band { above: sign == ">", bound: bound.parse().ok()? })
}
