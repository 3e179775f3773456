//! Columns of fixed-width values, and reading a tile's fields into them, a column at a time.

use super::fields::Tile;
use super::intern::{Interner, NULL, key_of};
use super::limit::TEXT_CHARACTERS;
use super::plan::{ID_CHARACTERS, Plan, Reader};
use super::reference::Reference;
use super::reject::{Reject, Rule, excerpt};
use super::value::{NULL_BYTE, NULL_INT, NULL_LONG, boolean, cip, cip_series, date, decimal, year};
use arrow::datatypes::ToByteSlice;

/// Marks a text's code as one of the thread's own table, not of a shared one.
pub const OWN: u32 = 1 << 31;

/// Values of a field.
#[derive(Debug, Clone)]
pub enum Column {
    /// Codes and booleans.
    Bytes(Vec<u8>),
    /// Whole numbers, dates, decimals of at most nine digits.
    Ints(Vec<i32>),
    /// Longer decimals.
    Longs(Vec<i64>),
    /// Texts by their place in a table.
    Texts(Vec<u32>),
}

/// Does the same with whatever vector a column holds.
macro_rules! each_kind {
    ($column:expr, $values:ident => $action:expr) => {
        match $column {
            Column::Bytes($values) => $action,
            Column::Ints($values) => $action,
            Column::Longs($values) => $action,
            Column::Texts($values) => $action,
        }
    };
}

impl Column {
    /// An empty column for what a reader gives, with room for `rows`.
    pub fn for_reader(reader: &Reader, rows: usize) -> Column {
        match reader {
            Reader::Code(_) | Reader::Boolean => Column::Bytes(Vec::with_capacity(rows)),
            Reader::Integer(_) | Reader::Date | Reader::Decimal { long: false, .. } => Column::Ints(Vec::with_capacity(rows)),
            Reader::Decimal { long: true, .. } => Column::Longs(Vec::with_capacity(rows)),
            Reader::Text | Reader::Id | Reader::Cip | Reader::CipSeries => Column::Texts(Vec::with_capacity(rows)),
        }
    }

    /// The rows `rows` of this column, as a column of its own.
    pub fn take(&self, rows: &[u32]) -> Column {
        match self {
            Column::Bytes(v) => Column::Bytes(rows.iter().map(|&r| v[r as usize]).collect()),
            Column::Ints(v) => Column::Ints(rows.iter().map(|&r| v[r as usize]).collect()),
            Column::Longs(v) => Column::Longs(rows.iter().map(|&r| v[r as usize]).collect()),
            Column::Texts(v) => Column::Texts(rows.iter().map(|&r| v[r as usize]).collect()),
        }
    }

    /// The values one after the other, as this machine keeps them.
    pub fn bytes(&self) -> &[u8] {
        each_kind!(self, v => v.as_slice().to_byte_slice())
    }

    /// The column of a reader whose values are these bytes.
    pub fn of_bytes(reader: &Reader, bytes: &[u8]) -> Column {
        fn words<const N: usize, T>(bytes: &[u8], of: impl Fn([u8; N]) -> T) -> Vec<T> {
            bytes.as_chunks::<N>().0.iter().map(|word| of(*word)).collect()
        }
        match Column::for_reader(reader, 0) {
            Column::Bytes(_) => Column::Bytes(bytes.to_vec()),
            Column::Ints(_) => Column::Ints(words(bytes, i32::from_ne_bytes)),
            Column::Longs(_) => Column::Longs(words(bytes, i64::from_ne_bytes)),
            Column::Texts(_) => Column::Texts(words(bytes, u32::from_ne_bytes)),
        }
    }

    /// Bytes of one value.
    pub fn width(&self) -> usize {
        fn of<T>(_: &[T]) -> usize {
            size_of::<T>()
        }
        each_kind!(self, v => of(v))
    }

    /// Adds nulls up to `rows`.
    pub fn fill(&mut self, rows: usize) {
        match self {
            Column::Bytes(v) => v.resize(rows, NULL_BYTE),
            Column::Ints(v) => v.resize(rows, NULL_INT),
            Column::Longs(v) => v.resize(rows, NULL_LONG),
            Column::Texts(v) => v.resize(rows, NULL),
        }
    }

    /// Removes the flagged rows among those from `start` on.
    fn drop_flagged(&mut self, start: usize, flags: &[bool]) {
        fn drop_from<T: Copy>(values: &mut Vec<T>, start: usize, flags: &[bool]) {
            let mut to = start;
            for (i, _) in flags.iter().enumerate().filter(|(_, flagged)| !**flagged) {
                values[to] = values[start + i];
                to += 1;
            }
            values.truncate(to);
        }
        each_kind!(self, v => drop_from(v, start, flags));
    }

    /// Whether a value is null.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Bytes(v) => v[row] == NULL_BYTE,
            Column::Ints(v) => v[row] == NULL_INT,
            Column::Longs(v) => v[row] == NULL_LONG,
            Column::Texts(v) => v[row] == NULL,
        }
    }

    /// Whether two rows have the same value; nulls are equal.
    #[inline]
    pub fn equal(&self, a: usize, b: usize) -> bool {
        each_kind!(self, v => v[a] == v[b])
    }
}

/// The rows of a tile that are rejected.
#[derive(Debug, Default)]
pub struct Bad {
    /// For each row of the tile, whether it is rejected.
    pub flags: Vec<bool>,
    /// Whether any is.
    pub any: bool,
    keys: Vec<u64>,
    /// All rejects so far; lines are counted from the first line of the chunk, 0.
    pub rejects: Vec<Reject>,
}

impl Bad {
    /// Begins a tile.
    pub fn begin(&mut self, rows: usize) {
        self.flags.clear();
        self.flags.resize(rows, false);
        self.any = false;
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, row: usize, line: u32, field: usize, rule: Rule, text: &[u8]) {
        if !std::mem::replace(&mut self.flags[row], true) {
            self.any = true;
            self.rejects.push(Reject {
                file: 0,
                line: u64::from(line),
                field: Some(field as u16),
                rule,
                text: excerpt(text),
                detail: 0,
                other: None,
            });
        }
    }
}

/// What texts of a field must be.
#[derive(Clone, Copy)]
struct Texts {
    /// Characters at most.
    most: usize,
    /// Whether one can be no text of the field.
    is_spoiled: fn(&[u8]) -> bool,
}

/// What spreadsheets, databases and programs put where there is no value, in lower case; a spreadsheet's errors begin with `#`.
const NO_VALUE: [&[u8]; 7] = [b"nan", b"null", b"none", b"<na>", b"n/a", b"\\n", b"nat"];
/// The errors of spreadsheets, and what they show for a number that has no room.
const ERRORS: [&[u8]; 9] = [b"#n/a", b"#ref!", b"#value!", b"#name?", b"#div/0!", b"#null!", b"#num!", b"#spill!", b"#calc!"];

/// Whether an identifier is what a spreadsheet made of one: `1.2E+08`, in which digits are lost, `="0012"`, or `'0012`; or says that there is none.
fn is_spoiled(id: &[u8]) -> bool {
    let is_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let mut parts = id.splitn(2, |b| matches!(b, b'E' | b'e'));
    let (number, power) = (parts.next().unwrap_or_default(), parts.next().and_then(|p| p.strip_prefix(b"+")));
    let mut of_number = number.splitn(2, |b| *b == b'.');
    let rounded = power.is_some_and(is_digits) && of_number.all(is_digits);
    let is_one_of = |words: &[&[u8]]| words.iter().any(|word| id.eq_ignore_ascii_case(word));
    rounded || matches!(id.first(), Some(b'=' | b'\'')) || is_one_of(&NO_VALUE) || is_one_of(&ERRORS) || id.iter().all(|b| *b == b'#')
}

/// One field of a tile: where it is in the file, and what to do with it.
struct Cells<'a> {
    tile: &'a Tile,
    text: &'a [u8],
    position: usize,
    field: usize,
    required: bool,
}

impl Cells<'_> {
    /// Reads the field of every row.
    #[inline(always)]
    fn read<T: Copy>(&self, out: &mut Vec<T>, null: T, bad: &mut Bad, parse: impl FnMut(usize, usize) -> Result<T, Rule>) {
        if self.tile.clean {
            self.read_as::<true, T>(out, null, bad, parse);
        } else {
            self.read_as::<false, T>(out, null, bad, parse);
        }
    }

    #[inline(always)]
    fn read_as<const CLEAN: bool, T: Copy>(
        &self,
        out: &mut Vec<T>,
        null: T,
        bad: &mut Bad,
        mut parse: impl FnMut(usize, usize) -> Result<T, Rule>,
    ) {
        out.extend(self.tile.rows.iter().enumerate().map(|(i, &row)| {
            let (start, len) = self.tile.field_of::<CLEAN>(self.text, row, self.position);
            let rule = match len {
                0 if self.required => Rule::Required,
                0 => return null,
                _ => match parse(start, len) {
                    Ok(value) => return value,
                    Err(rule) => rule,
                },
            };
            bad.add(i, self.tile.lines[i], self.field, rule, &self.text[start..start + len]);
            null
        }));
    }

    /// Reads texts: looks in the shared table first, then in the thread's own.
    #[inline(always)]
    fn read_texts(&self, out: &mut Vec<u32>, bad: &mut Bad, own: &mut Interner, shared: Option<&Interner>, kind: Texts) {
        let most = kind.most;
        let text = self.text;
        let mut keys = std::mem::take(&mut bad.keys);
        keys.clear();
        self.read(&mut keys, 0, bad, |start, len| {
            if len > most && text[start..start + len].iter().filter(|b| (**b as i8) >= -0x40).count() > most {
                return Err(Rule::Range);
            }
            Ok(key_of(text, start, len))
        });
        let begin = out.len();
        shared.unwrap_or(own).find_first(&keys, out);
        let mark = if shared.is_some() { 0 } else { OWN };
        for (i, (code, &key)) in out[begin..].iter_mut().zip(&keys).enumerate() {
            if *code != NULL {
                *code |= mark;
            } else if key != 0 {
                let (start, len) = self.tile.field(text, self.tile.rows[i], self.position);
                // Only texts that are new to the thread come here.
                if (kind.is_spoiled)(&text[start..start + len]) {
                    bad.add(i, self.tile.lines[i], self.field, Rule::Type, &text[start..start + len]);
                    continue;
                }
                let known = shared.and_then(|table| table.find(key, text, start, len));
                *code = known.unwrap_or_else(|| OWN | own.intern(key, text, start, len));
            }
        }
        bad.keys = keys;
    }
}

/// How a file's fields are read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The plan of the collection.
    pub plan: &'a Plan<'a>,
    /// Where each field is in the file.
    pub positions: &'a [Option<usize>],
    /// For each field, the table whose codes it shares.
    pub shared: &'a [Option<&'a Reference>],
}

/// Reads all fields of a tile into columns; `own` are the thread's tables of texts. Rejected rows leave no trace in the columns.
pub fn read_tile(reading: Reading, tile: &Tile, text: &[u8], own: &mut [Interner], columns: &mut [Column], bad: &mut Bad) {
    let Reading { plan, positions, shared } = reading;
    bad.begin(tile.rows.len());
    let start = columns.first().map_or(0, |c| each_kind!(c, v => v.len()));
    for (field, reader) in plan.readers.iter().enumerate() {
        let (done, rest) = columns.split_at_mut(field);
        let Some(column) = rest.first_mut() else { continue };
        let required = plan.contract.fields[field].constraints.required;
        match positions[field] {
            Some(position) => {
                let cells = Cells { tile, text, position, field, required };
                read_field(&cells, reader, column, bad, &mut own[field], shared[field].map(|r| &r.table));
            }
            None => column.fill(start + tile.rows.len()),
        }
        for &(_, other, code) in plan.required_unless.iter().filter(|u| u.0 == field) {
            check_required_unless(&Cells { tile, text, position: 0, field, required }, column, &done[other], code, start, bad);
        }
    }
    if bad.any {
        columns.iter_mut().for_each(|c| c.drop_flagged(start, &bad.flags));
    }
}

fn read_field(cells: &Cells, reader: &Reader, column: &mut Column, bad: &mut Bad, own: &mut Interner, shared: Option<&Interner>) {
    let text = cells.text;
    match (reader, column) {
        (Reader::Code(codes), Column::Bytes(out)) => cells.read(out, NULL_BYTE, bad, |at, len| codes.find(text, at, len)),
        (Reader::Boolean, Column::Bytes(out)) => cells.read(out, NULL_BYTE, bad, |at, len| boolean(&text[at..at + len])),
        (Reader::Integer(bounds), Column::Ints(out)) => cells.read(out, NULL_INT, bad, |at, len| year(text, at, len, *bounds)),
        (Reader::Decimal { scale, bounds, .. }, Column::Ints(out)) => {
            cells.read(out, NULL_INT, bad, |at, len| decimal(&text[at..at + len], *scale, *bounds).map(|n| n as i32));
        }
        (Reader::Decimal { scale, bounds, .. }, Column::Longs(out)) => {
            cells.read(out, NULL_LONG, bad, |at, len| decimal(&text[at..at + len], *scale, *bounds));
        }
        (Reader::Date, Column::Ints(out)) => cells.read(out, NULL_INT, bad, |at, len| date(text, at, len)),
        (Reader::Text, Column::Texts(out)) => {
            cells.read_texts(out, bad, own, shared, Texts { most: TEXT_CHARACTERS, is_spoiled: |_| false })
        }
        (Reader::Id, Column::Texts(out)) => cells.read_texts(out, bad, own, shared, Texts { most: ID_CHARACTERS, is_spoiled }),
        (Reader::Cip | Reader::CipSeries, Column::Texts(out)) => cells.read(out, NULL, bad, |at, len| {
            let text = &text[at..at + len];
            let (code, len) = if matches!(reader, Reader::Cip) { (cip(text)?, 7) } else { cip_series(text)? };
            let key = key_of(&code, 0, len);
            let known = shared.and_then(|table| table.find(key, &code, 0, len));
            Ok(known.unwrap_or_else(|| OWN | own.intern(key, &code, 0, len)))
        }),
        // A column is made for its reader: no other pair can come.
        _ => {}
    }
}

/// Rejects rows in which `column` is null although `other` is not `code`.
fn check_required_unless(cells: &Cells, column: &Column, other: &Column, code: u8, start: usize, bad: &mut Bad) {
    let Column::Bytes(others) = other else { return };
    for (row, line) in cells.tile.lines.iter().enumerate() {
        if others[start + row] != code && column.is_null(start + row) {
            bad.add(row, *line, cells.field, Rule::Required, b"");
        }
    }
}
