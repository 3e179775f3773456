//! JSON files that tell by themselves whether they were changed: the last entry, `seal`, is the BLAKE3 of all that stands before it.
//!
//! What another file names by its hash needs none. A commit is named by nothing, and the manifests of reports and of the evidence for a
//! release are found by their place.

use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What stands between the entries of the value and the seal, and after it.
const BEFORE: &str = ",\n  \"seal\": \"";
const AFTER: &str = "\"\n}\n";

/// A value (one with entries) as sealed JSON.
pub fn seal(value: &impl Serialize) -> Result<Vec<u8>> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::internal("a sealed file as JSON", e))?;
    let entries = text.strip_suffix("\n}").ok_or_else(|| Error::bug("only JSON objects with entries can be sealed"))?;
    Ok(format!("{entries}{BEFORE}{}{AFTER}", blake3::hash(entries.as_bytes()).to_hex()).into_bytes())
}

/// Reads sealed JSON; else what is wrong with it.
pub fn unseal<T: DeserializeOwned>(bytes: &[u8]) -> std::result::Result<T, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is no text: it was changed".to_string())?;
    let sealed = text.strip_suffix(AFTER).and_then(|t| t.rsplit_once(BEFORE));
    let (entries, seal) = sealed.ok_or("has no seal at its end: it was changed, cut short, or made by an earlier version")?;
    if blake3::hash(entries.as_bytes()).to_hex().as_str() != seal {
        return Err("does not match its seal: it was changed".into());
    }
    serde_json::from_str(text).map_err(|e| format!("is not what this version writes: {e}"))
}

#[cfg(test)]
mod tests {
    use super::{seal, unseal};
    use std::collections::BTreeMap;

    #[test]
    fn every_changed_or_missing_byte_breaks_the_seal() {
        let value = BTreeMap::from([("number".to_string(), 7), ("other".to_string(), 10)]);
        let sealed = seal(&value).unwrap();
        let with_seal: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&sealed).unwrap();
        assert_eq!((with_seal.len(), &with_seal["number"]), (3, &serde_json::json!(7)));
        let read = |bytes: &[u8]| unseal::<BTreeMap<String, serde_json::Value>>(bytes);
        assert_eq!(read(&sealed).unwrap()["other"], 10);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "byte {at}");
            assert!(read(&sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
