//! Walks over a structure of Thrift's compact protocol (of which the headers of Parquet are made) before a library reads it: what says that it has
//! more members than there are bytes would keep the library busy for hours. Each member takes a byte at least, so a walk takes no more steps than that.

use super::super::limit::THRIFT_DEPTH;
use std::io::{self, Error, ErrorKind, Read};

/// Passes over the structure that `input` begins with, which takes at most `most` bytes; an error if it is none.
pub fn walk(input: impl Read, most: u64) -> io::Result<()> {
    Walker { input, left: most }.members(0)
}

struct Walker<R> {
    input: R,
    left: u64,
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

impl<R: Read> Walker<R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.take(1)?;
        self.input.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| wrong("a header says that it is longer than it can be"))?;
        Ok(())
    }

    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        self.take(bytes)?;
        let passed = io::copy(&mut (&mut self.input).take(bytes), &mut io::sink())?;
        if passed == bytes { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F).unbounded_shl(7 * place);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(wrong("a number in a header has no end"))
    }

    /// The members of a structure, each with its kind before it.
    fn members(&mut self, depth: usize) -> io::Result<()> {
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            if head >> 4 == 0 {
                self.number()?;
            }
            // A truth value is told by its kind.
            if !matches!(head & 0xF, 1 | 2) {
                self.value(head & 0xF, depth)?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> io::Result<()> {
        if depth > THRIFT_DEPTH {
            return Err(wrong("a header has structures too deep within each other"));
        }
        match kind {
            3 => self.pass(1),
            4..=6 => self.number().map(drop),
            7 => self.pass(8),
            8 => self.number().and_then(|bytes| self.pass(bytes)),
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
                (0..self.count(count)?).try_for_each(|_| self.value(head & 0xF, depth + 1))
            }
            11 => match self.number()? {
                0 => Ok(()),
                count => {
                    let kinds = self.byte()?;
                    let mut both = || self.value(kinds >> 4, depth + 1).and_then(|()| self.value(kinds & 0xF, depth + 1));
                    (0..count).try_for_each(|_| both())
                }
            },
            12 => self.members(depth + 1),
            13 => self.pass(16),
            // Lists of truth values are in no header that is read.
            _ => Err(wrong("a header has a member of no known kind")),
        }
    }

    /// So many members of a list: no more than there are bytes.
    fn count(&self, count: u64) -> io::Result<u64> {
        if count <= self.left { Ok(count) } else { Err(wrong("a header says that a list is longer than it can be")) }
    }
}
