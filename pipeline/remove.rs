//! Rows taken back out of the lake: those of an institution that is to be no part of it any more, say, and all that refer to them. What is left of
//! the collections and years concerned is read again like a corrected file, so that the lake is what it would be if they had never come.

use crate::contract::{Contract, Contracts};
use crate::error::{Error, Result};
use crate::lake::{LakeFile, LakeReader, Load};
use crate::store;
use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch, not};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is to go.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// The rows of a value, which is of the field of the collection that others refer to.
    Id(&'a str),
    /// The rows of a year by which the collection is divided.
    Year(i32),
}

/// Values whose rows go, by collection and field.
type Targets = BTreeMap<(String, String), BTreeSet<String>>;

/// What was taken out.
#[derive(Debug, Default)]
pub struct Removal {
    /// Rows that go, by collection and partition.
    pub rows: BTreeMap<(String, Option<i32>), u64>,
    /// Partitions of which nothing is left.
    pub emptied: BTreeSet<(String, Option<i32>)>,
}

/// Writes what is left of each collection and partition that has rows which are to go, or rows that refer to such, as raw files below a folder.
pub fn without(root: &Path, contracts: &Contracts, load: &Load, collection: &str, what: What, raw: &Path) -> Result<Removal> {
    let mut targets = targets(contracts, collection, what)?;
    let mut removal = Removal::default();
    for contract in contracts.in_order()? {
        let year = match what {
            What::Year(year) if contract.name == collection => Some(year),
            _ => None,
        };
        let conditions = conditions(contract, &targets);
        if year.is_some() || !conditions.is_empty() {
            let goes = Goes { year, conditions };
            let gone = split(root, contracts, contract, load, &goes, raw, &mut removal)?;
            gone.into_iter().for_each(|(field, values)| targets.entry((contract.name.clone(), field)).or_default().extend(values));
        }
    }
    match (removal.rows.is_empty(), what) {
        (true, What::Id(value)) => Err(Error::Config(format!("the lake has no row of {collection} {value:?}, and none that refers to it"))),
        (true, What::Year(year)) => {
            Err(Error::Config(format!("the lake has no row of {collection} of {year}; `perkins status` tells its years")))
        }
        (false, _) => Ok(removal),
    }
}

/// The values whose rows go from the first.
fn targets(contracts: &Contracts, collection: &str, what: What) -> Result<Targets> {
    let refuse = |what: &str, all: BTreeSet<&str>| {
        let all = all.into_iter().collect::<Vec<_>>().join(", ");
        Err(Error::Config(format!("{collection:?} is no collection that {what}; there are: {all}")))
    };
    match what {
        What::Year(_) => {
            let divided: BTreeSet<&str> = contracts.iter().filter(|c| c.partition.is_some()).map(|c| c.name.as_str()).collect();
            if divided.contains(collection) { Ok(Targets::new()) } else { refuse("is divided by a year", divided) }
        }
        What::Id(value) => {
            let fields = referred(contracts, collection);
            if fields.is_empty() {
                return refuse(
                    "others refer to",
                    contracts.iter().flat_map(|c| &c.foreign_keys).map(|k| k.reference.resource.as_str()).collect(),
                );
            }
            Ok(fields.into_iter().map(|field| ((collection.to_string(), field), BTreeSet::from([value.to_string()]))).collect())
        }
    }
}

/// Which rows of a collection go.
struct Goes<'t> {
    /// All of this year.
    year: Option<i32>,
    /// Those with one of the values in one of the fields.
    conditions: Vec<(String, &'t BTreeSet<String>)>,
}

/// The fields of a collection that others refer to.
fn referred(contracts: &Contracts, collection: &str) -> BTreeSet<String> {
    let keys = contracts.iter().flat_map(|c| &c.foreign_keys).map(|k| &k.reference);
    keys.filter(|r| r.resource == collection).map(|r| r.fields.clone()).collect()
}

/// The fields of a collection by which its rows go, with the values.
fn conditions<'t>(contract: &Contract, targets: &'t Targets) -> Vec<(String, &'t BTreeSet<String>)> {
    let own = targets.iter().filter(|((c, _), _)| *c == contract.name).map(|((_, field), values)| (field.clone(), values));
    let refers = contract.foreign_keys.iter().filter_map(|k| {
        let values = targets.get(&(k.reference.resource.clone(), k.reference.fields.clone()))?;
        Some((k.fields.clone(), values))
    });
    own.chain(refers).filter(|(_, values)| !values.is_empty()).collect()
}

/// Splits the rows of a collection; gives the values of its referred fields of which no row is left.
fn split(
    root: &Path,
    contracts: &Contracts,
    contract: &Contract,
    load: &Load,
    which: &Goes,
    raw: &Path,
    removal: &mut Removal,
) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let fields = referred(contracts, &contract.name);
    let (mut gone, mut left): (BTreeMap<String, BTreeSet<String>>, BTreeMap<String, BTreeSet<String>>) = Default::default();
    for file in load.files_of(&contract.name) {
        let (mut kept, mut rows) = (Vec::new(), 0);
        for batch in read(root, contracts, contract, file)? {
            let goes = match which.year.is_some() && file.partition == which.year {
                true => BooleanArray::from(vec![true; batch.num_rows()]),
                false => goes(&batch, &which.conditions)?,
            };
            let wrong = |e| Error::internal(format!("rows of {}", contract.name), e);
            let stays = filter_record_batch(&batch, &not(&goes).map_err(wrong)?).map_err(wrong)?;
            let goes = filter_record_batch(&batch, &goes).map_err(wrong)?;
            for field in &fields {
                gone.entry(field.clone()).or_default().extend(values(&goes, field)?.iter().flatten().map(str::to_string));
                left.entry(field.clone()).or_default().extend(values(&stays, field)?.iter().flatten().map(str::to_string));
            }
            rows += goes.num_rows() as u64;
            kept.push(stays);
        }
        if rows > 0 {
            let place = (contract.name.clone(), file.partition);
            if kept.iter().all(|b| b.num_rows() == 0) {
                removal.emptied.insert(place.clone());
            }
            write(raw, contract, file.partition, &kept)?;
            removal.rows.insert(place, rows);
        }
    }
    gone.iter_mut().for_each(|(field, values)| values.retain(|v| left.get(field).is_none_or(|left| !left.contains(v))));
    Ok(gone)
}

/// The fields of a contract as they are in a file of the lake.
fn read(root: &Path, contracts: &Contracts, contract: &Contract, file: &LakeFile) -> Result<Vec<RecordBatch>> {
    let names: Vec<&str> = contract.fields.iter().map(|f| f.name.as_str()).filter(|f| contract.partition.as_deref() != Some(f)).collect();
    LakeReader::open(root, &file.stored.path, contracts.lake_schema(contract))?.read_all(&names)
}

/// A field as texts.
fn values(batch: &RecordBatch, field: &str) -> Result<StringArray> {
    let column: &ArrayRef = batch.column_by_name(field).ok_or_else(|| Error::bug(format!("the lake has no field {field}")))?;
    let texts = cast(column, &DataType::Utf8).map_err(|e| Error::internal(format!("texts of {field}"), e))?;
    Ok(texts.as_string::<i32>().clone())
}

/// Which rows have one of the values.
fn goes(batch: &RecordBatch, conditions: &[(String, &BTreeSet<String>)]) -> Result<BooleanArray> {
    let mut goes = vec![false; batch.num_rows()];
    for (field, wanted) in conditions {
        let texts = values(batch, field)?;
        goes.iter_mut().zip(texts.iter()).for_each(|(goes, text)| *goes |= text.is_some_and(|t| wanted.contains(t)));
    }
    Ok(BooleanArray::from(goes))
}

/// Writes rows as a raw file of their collection and partition.
fn write(raw: &Path, contract: &Contract, partition: Option<i32>, batches: &[RecordBatch]) -> Result<()> {
    let folder = raw.join(&contract.name);
    store::create_folder(&folder)?;
    let path: PathBuf = folder.join(format!("{}.csv", partition.map_or("all".into(), |p| p.to_string())));
    let failed = |e: csv::Error| Error::internal(format!("cannot write {}", path.display()), e);
    let mut writer = csv::Writer::from_path(&path).map_err(failed)?;
    writer.write_record(contract.fields.iter().map(|f| &f.name)).map_err(failed)?;
    let options = FormatOptions::default();
    for batch in batches {
        let column = |name: &String| batch.column_by_name(name).map(|c| ArrayFormatter::try_new(c.as_ref(), &options)).transpose();
        let columns = contract.fields.iter().map(|f| column(&f.name)).collect::<std::result::Result<Vec<_>, _>>();
        let columns = columns.map_err(|e| Error::internal(format!("rows of {}", contract.name), e))?;
        for row in 0..batch.num_rows() {
            // The one field that is in no column is that of the partition.
            let text = |c: &Option<ArrayFormatter>| match c {
                Some(column) => column.value(row).to_string(),
                None => partition.map(|p| p.to_string()).unwrap_or_default(),
            };
            writer.write_record(columns.iter().map(text)).map_err(failed)?;
        }
    }
    writer.flush().map_err(|e| Error::io("write", &path, e))
}
