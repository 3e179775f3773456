//! The rules (sql/, data/) are embedded in the binary: a change there builds it anew.
fn main() {
    for folder in ["sql", "data/contract", "data/rule", "data/default", "data/reference", "data/report", "data/synth", "data/mapping"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
