//! `scan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// Files and folders; `-` reads standard input. Folders respect `.gitignore`; hidden files are read,
    /// `.git` is not.
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// What the input is.
    #[arg(long, value_enum, default_value_t = InputArg::Text)]
    pub(crate) input: InputArg,
    /// The field of each JSON line that is scanned.
    #[arg(long, default_value = "text", value_name = "NAME")]
    pub(crate) field: String,
    /// The field of each JSON line that findings are reported with.
    #[arg(long, default_value = "id", value_name = "NAME")]
    pub(crate) id: String,
    /// In which form findings are printed.
    #[arg(long, value_enum)]
    pub(crate) format: Option<ScanFormatArg>,
    /// Leave out what this file lists.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// List what is found in this file, for `--baseline` later on; the exit code is then 0.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// The key of the fingerprints, 16 bytes or more. Without it the key of the profile is used; without
    /// a profile, fingerprints mean nothing beyond this run.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// More rules; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Leave out a rule; may be given more than once.
    #[arg(long, value_name = "ID")]
    pub(crate) disable: Vec<String>,
    /// Only findings at least this sure.
    #[arg(long, value_enum, default_value_t = ConfidenceArg::Medium)]
    pub(crate) min_confidence: ConfidenceArg,
    /// Read what `.gitignore` leaves out, too.
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// How many threads; as many as there are processors without it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputArg {
    /// Text; a finding has the line it begins in.
    Text,
    /// A JSON object on each line, one field of which is scanned.
    Jsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormatArg {
    /// For people.
    Human,
    /// One document.
    Json,
    /// One object a finding.
    Jsonl,
    /// SARIF 2.1.0, as code hosts read it.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfidenceArg {
    /// All.
    Medium,
    /// The form of one vendor's credential.
    High,
    /// With a checksum that holds.
    Certain,
}
