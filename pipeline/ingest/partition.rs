//! The partitions of a collection: each is brought together, checked and written; in slices, if memory does not hold its rows.

use super::aside::Room;
use super::column::Column;
use super::dictionary::Dictionary;
use super::intern::{Interner, NULL};
use super::limit::REJECTS;
use super::parse::{Block, too_many_rejects};
use super::part::{Checks, Part};
use super::reference::{NEVER, Reference};
use super::write::{Layout, Writing};
use crate::error::Result;
use crate::lake::LakeFile;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the partitions of a collection are made with.
pub struct Partitions<'a> {
    /// The restricted root.
    pub root: &'a Path,
    /// What they are checked with.
    pub checks: Checks<'a>,
    /// The fields that others refer to.
    pub referred: &'a [usize],
    /// The field that the collection numbers: writing waits until all its values are known.
    pub defined: Option<usize>,
    /// Where rows go that memory does not hold.
    pub room: &'a Room,
    /// Bytes of a slice; none if memory holds all rows.
    pub slice: Option<u64>,
    /// Rejected rows so far.
    pub rejected: AtomicU64,
}

/// A partition that was checked.
pub struct Partition {
    /// Its value.
    pub year: Option<i32>,
    /// What became of its rows, slice by slice; the rows themselves only if they are still to be written and memory holds them.
    pub parts: Vec<Part>,
    /// The file, once it is written; none without rows.
    pub file: Option<LakeFile>,
    /// What it is made of, if it must be made once more.
    blocks: Vec<Block>,
}

/// What the codes of a numbered field become.
pub struct Numbers {
    field: usize,
    numbers: Vec<u32>,
    /// Whether any is another.
    differ: bool,
}

impl<'a> Partitions<'a> {
    /// Checks a partition, and writes it unless its keys are still to be given.
    pub fn check(&self, layout: &Layout, year: Option<i32>, mut blocks: Vec<Block>) -> Result<Partition> {
        let mut writing = Writing::new(layout, self.folder(year));
        let mut parts = Vec::new();
        self.each_slice(&mut blocks, None, |blocks| {
            let mut part = self.checks.run(year, blocks)?;
            part.referred = self.referred.iter().map(|field| part.codes(*field)).collect();
            match self.defined {
                None => writing.add(&mut part)?,
                Some(field) => part.numbered = part.runs(field),
            }
            if self.slice.is_some() {
                part.forget_rows();
            }
            let more = part.rejects.len() as u64;
            if self.rejected.fetch_add(more, Ordering::Relaxed) + more > REJECTS {
                return Err(too_many_rejects(&self.checks.plan.contract.name));
            }
            parts.push(part);
            Ok(())
        })?;
        Ok(Partition { year, parts, file: self.file(year, writing)?, blocks })
    }

    /// Writes a partition that was checked before its keys were known.
    pub fn write(&self, layout: &Layout, numbers: &Numbers, partition: Partition) -> Result<Option<LakeFile>> {
        let Partition { year, mut parts, mut blocks, .. } = partition;
        let mut writing = Writing::new(layout, self.folder(year));
        let mut add = |part: &mut Part| {
            numbers.give(part);
            writing.add(part)
        };
        if self.slice.is_some() {
            self.each_slice(&mut blocks, Some(&numbers.numbers), |blocks| add(&mut self.checks.run(year, blocks)?))?;
        } else {
            parts.iter_mut().try_for_each(&mut add)?;
        }
        self.file(year, writing)
    }

    /// Does something with all rows of a partition, slice by slice, in the order of the leading field. `numbers` are what its codes become.
    fn each_slice(&self, blocks: &mut Vec<Block>, numbers: Option<&[u32]>, mut each: impl FnMut(Vec<Block>) -> Result<()>) -> Result<()> {
        let Some(most) = self.slice else { return each(std::mem::take(blocks)) };
        let (plan, dictionaries) = (self.checks.plan, self.checks.dictionaries);
        let numbers = numbers.filter(|_| plan.leading() == self.defined);
        let ranges = self.checks.ranges(blocks, most, numbers)?;
        let Some(field) = plan.leading().filter(|_| ranges.len() > 1) else { return each(blocks.clone()) };
        let (mut shelf, mut slices) = (self.room.shelf()?, vec![Vec::new(); ranges.len()]);
        for block in blocks.iter() {
            let parts = block.divide(plan, field, &dictionaries[field], &ranges, &mut shelf)?;
            parts.into_iter().for_each(|(range, part)| slices[range].push(part));
        }
        slices.into_iter().try_for_each(each)
    }

    fn folder(&self, year: Option<i32>) -> PathBuf {
        let contract = self.checks.plan.contract;
        let lake = self.root.join("lake").join(&contract.name);
        match (year, &contract.partition) {
            (Some(year), Some(field)) => lake.join(format!("{field}={year}")),
            _ => lake,
        }
    }

    fn file(&self, year: Option<i32>, writing: Writing) -> Result<Option<LakeFile>> {
        let (collection, rows) = (self.checks.plan.contract.name.clone(), writing.rows);
        let stored = writing.finish(self.root)?;
        let file = |stored| LakeFile { collection, partition: year, stored, rows, inputs: vec![], loaded_at: String::new() };
        Ok(stored.map(file))
    }
}

impl Numbers {
    /// Gives each value with an accepted row its number: those of the previous load keep theirs, new ones follow in text order. Also what others may
    /// refer to; `table` is the first thread's.
    pub fn new(
        field: usize,
        dictionary: &Dictionary,
        previous: &Interner,
        table: Interner,
        partitions: &[Partition],
    ) -> (Numbers, Reference) {
        let mut first_year = vec![NEVER; dictionary.len()];
        for part in partitions.iter().flat_map(|p| &p.parts) {
            let year = part.year.unwrap_or(i32::MIN);
            part.numbered.iter().for_each(|code| first_year[*code as usize] = year.min(first_year[*code as usize]));
        }
        let before = previous.texts().len();
        let used = |code: usize| code < before || first_year[code] != NEVER;
        let numbers: Vec<u32> =
            (0..dictionary.len()).scan(0, |next, code| Some(std::mem::replace(next, *next + u32::from(used(code))))).collect();
        let differ = !(0..dictionary.len()).all(used);
        let texts = (0..dictionary.len()).filter(|c| used(*c)).map(|c| dictionary.get(c as u32)).collect();
        let first_year = (0..dictionary.len()).filter(|c| used(*c)).map(|c| first_year[c]).collect();
        let place = |code: &u32| if used(*code as usize) { numbers[*code as usize] } else { NULL };
        let map: Vec<u32> = dictionary.map(0).iter().map(place).collect();
        let reference = Reference { table: table.recode(&map, texts), first_year };
        (Numbers { field, numbers, differ }, reference)
    }

    /// Puts the numbers in the place of the codes of accepted rows.
    fn give(&self, part: &mut Part) {
        if self.differ
            && let Column::Texts(codes) = &mut part.columns[self.field]
        {
            part.rows.iter().for_each(|row| codes[*row as usize] = self.numbers[codes[*row as usize] as usize]);
        }
    }
}
