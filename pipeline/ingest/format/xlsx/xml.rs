//! XML, event by event, with limits to what one event and the elements within each other may be.

use super::super::super::limit::{XML_BYTES, XML_DEPTH};
use super::package::Part;
use crate::error::{Error, Result};
use quick_xml::events::{BytesStart, Event};
use std::io::{self, BufRead, BufReader, Read};

/// A part of a workbook as XML.
pub struct Xml {
    reader: quick_xml::Reader<Bounded>,
    buffer: Vec<u8>,
    depth: usize,
    label: String,
}

/// What of an event is of use.
pub enum Item<'x> {
    /// An element begins.
    Start(BytesStart<'x>),
    /// The element of this name, without its namespace, ends.
    End(Vec<u8>),
    /// Text.
    Text(String),
    /// The part ends.
    Eof,
}

impl Xml {
    /// Reads a part.
    pub fn new(part: Part) -> Xml {
        let label = part.label();
        let mut reader = quick_xml::Reader::from_reader(Bounded { input: BufReader::with_capacity(32 << 10, part), left: 0 });
        reader.config_mut().expand_empty_elements = true;
        Xml { reader, buffer: Vec::new(), depth: 0, label }
    }

    /// The next event that is of use.
    pub fn next(&mut self) -> Result<Item<'_>> {
        self.buffer.clear();
        self.reader.get_mut().left = XML_BYTES;
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|e| failed(&self.label, e))?;
        Ok(match event {
            Event::Start(start) => {
                self.depth += 1;
                if self.depth > XML_DEPTH {
                    return Err(damaged(&self.label, "its elements are too deep within each other"));
                }
                Item::Start(start)
            }
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                Item::End(end.local_name().as_ref().to_vec())
            }
            Event::Text(text) => Item::Text(text.xml10_content().map_err(|e| damaged(&self.label, &e.to_string()))?.into_owned()),
            Event::CData(text) => Item::Text(text.xml10_content().map_err(|e| damaged(&self.label, &e.to_string()))?.into_owned()),
            Event::GeneralRef(name) => {
                let text = name.decode().map_err(|e| damaged(&self.label, &e.to_string()))?;
                let text = quick_xml::escape::unescape(&format!("&{text};")).map(|t| t.into_owned());
                Item::Text(text.map_err(|e| damaged(&self.label, &e.to_string()))?)
            }
            Event::Eof => Item::Eof,
            _ => Item::Text(String::new()),
        })
    }

    /// Passes over what is left of the part, so that it is known to be whole.
    pub fn skip_rest(&mut self) -> Result<()> {
        let copied = io::copy(&mut self.reader.get_mut().input, &mut io::sink());
        copied.map(|_| ()).map_err(|e| failed(&self.label, quick_xml::Error::from(e)))
    }

    /// An error about what is more than can be read.
    pub fn too_large(&self, what: &str) -> Error {
        Error::Data(format!("{}: {what}, which is more than can be read; save the sheet as csv, and look at it", self.label))
    }

    /// An error about this part.
    pub fn damaged(&self, what: &str) -> Error {
        damaged(&self.label, what)
    }
}

/// An attribute by its name without the namespace; text as it stands there.
pub fn attribute(element: &BytesStart, name: &[u8]) -> Option<String> {
    let found = element.attributes().with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name)?;
    let text = String::from_utf8_lossy(&found.value).into_owned();
    Some(quick_xml::escape::unescape(&text).map(|t| t.into_owned()).unwrap_or(text))
}

fn damaged(label: &str, what: &str) -> Error {
    Error::Data(format!("{label}: is damaged ({what}); save it as xlsx again"))
}

fn failed(label: &str, e: quick_xml::Error) -> Error {
    match &e {
        quick_xml::Error::Io(io) => match io.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
            Some(ours) => Error::Data(ours.to_string()),
            None if io.raw_os_error().is_some() => Error::internal(format!("cannot read {label}"), e),
            None => damaged(label, &io.to_string()),
        },
        _ => damaged(label, &e.to_string()),
    }
}

/// Gives no more bytes than are left to the event.
struct Bounded {
    input: BufReader<Part>,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.fill_buf()?[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Bounded {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            let what = format!("a tag or a text of more than {XML_BYTES} bytes");
            return Err(io::Error::other(damaged(&self.input.get_ref().label(), &what)));
        }
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let text = self.input.fill_buf()?;
        Ok(&text[..text.len().min(left)])
    }

    fn consume(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
        self.input.consume(bytes);
    }
}
