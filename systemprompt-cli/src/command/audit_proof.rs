//! `audit prove` and `audit verify-proof`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use systemprompt_audit::note::{NoteError, WitnessKey};
use systemprompt_audit::proof::{
    EventProof, ProofFault, ProveError, ProvenEvent, WhichEvent, prove as make,
};
use systemprompt_audit::verify::{AuditSource, FindingKind};

use super::audit_verify::{Place, keys};
use crate::args::{ProveArgs, VerifyProofArgs};
use crate::failure::{Failure, FailureKind};
use crate::output::{Output, plain};

pub(crate) async fn prove(args: &ProveArgs, profile: &Path, output: Output) -> Result<(), Failure> {
    let event: WhichEvent =
        args.event.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let place = Place::of(args.database.as_deref(), profile)?;
    let mut source = AuditSource::open_with(&place.database).await.map_err(Failure::database)?;
    let proof = make(&mut source, &event, args.disclose).await.map_err(|error| match error {
        ProveError::Unknown => Failure::not_found(error.to_string()),
        ProveError::Store(_) => Failure::database(error),
        other => Failure::other(other),
    })?;
    let path = match &args.out {
        Some(path) if path.as_os_str() == "-" => return output.text(&proof.to_string()),
        Some(path) => path.clone(),
        None => PathBuf::from(format!("{}.tlog-proof", args.event.replace([':', '/'], "-"))),
    };
    fs::write(&path, proof.to_string()).map_err(Failure::other)?;
    if output.is_json() {
        return output.value(&json!({ "proof": path }));
    }
    output.text(&format!("{}\n", path.display()))
}

pub(crate) fn verify(args: &VerifyProofArgs, output: Output) -> Result<(), Failure> {
    let trusted = keys("--key", &args.keys)?;
    let text = fs::read_to_string(&args.file).map_err(|error| {
        Failure::not_found(format!("`{}` cannot be read: {error}", args.file.display()))
    })?;
    let witnesses: Vec<WitnessKey> = keys("--witness", &args.witnesses)?;
    let proof: EventProof = text.parse().map_err(fault)?;
    let proven = proof.verify(&trusted).map_err(fault)?;
    let mut cosigned = BTreeMap::new();
    for witness in &witnesses {
        let at = proof.cosigned_at(witness).map_err(fault)?;
        let at = at.ok_or_else(|| fault(ProofFault::Signature(NoteError::Unsigned)))?;
        cosigned.insert(witness.to_string(), at.to_string());
    }
    if !output.is_json() {
        return output.text(&words(&proven, &cosigned));
    }
    let mut shown = serde_json::to_value(&proven).map_err(Failure::other)?;
    if let Some(shown) = shown.as_object_mut().filter(|_| !cosigned.is_empty()) {
        shown.insert("cosigned".to_owned(), json!(cosigned));
    }
    output.value(&shown)
}

fn fault(fault: ProofFault) -> Failure {
    let kind = match fault {
        ProofFault::Signature(_) => FindingKind::BadSignature,
        _ => FindingKind::RowChanged,
    };
    Failure::new(FailureKind::Found(kind.exit_code()), fault.to_string())
}

fn words(event: &ProvenEvent, cosigned: &BTreeMap<String, String>) -> String {
    let ProvenEvent { origin, seq, size, key, .. } = event;
    let origin = plain(origin);
    let mut text = format!(
        "proven: event {seq} of the log {origin}, as it was when it had {size} events\n\
         signed by {key}\n"
    );
    for (witness, at) in cosigned {
        text.push_str(&format!("cosigned at {at} by {witness}\n"));
    }
    text.push('\n');
    let shown = event.columns.as_ref().unwrap_or(&event.leaf);
    for (name, value) in shown.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&format!("  {name:<17} {}\n", plain(&value)));
    }
    text
}
