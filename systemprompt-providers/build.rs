//! Renews the build when the schema changes: the compiler does not see the folder.

fn main() {
    println!("cargo:rerun-if-changed=schema");
    println!("cargo:rerun-if-changed=.sqlx");
}
