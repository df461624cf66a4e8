use proptest::prelude::*;
use signed_note::{Note, StandardVerifier, Verifier as _, VerifierList};

use super::*;

const NAME: &str = "audit@k3v9q0aa7xmd";

fn signer(name: &str, seed: u8) -> Ed25519Signer {
    Ed25519Signer::new(name, &[seed; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "server@k3v9q0aa7xmd".to_owned(), size: 20_852_163, root: [7; 32] }
}

/// The example of the checksum database of Go's documentation of notes.
#[test]
fn a_note_of_another_project_is_read_and_verified() {
    let key: VerifierKey =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    assert_eq!((key.name(), key.id()), ("PeterNeumann", 0xc74f_20a3));
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what \
                your problem is.\n";
    let note = format!(
        "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    let parsed: SignedNote = note.parse().unwrap();
    assert_eq!(parsed.text(), text);
    assert_eq!(parsed.verify(std::slice::from_ref(&key)).unwrap(), [&key]);
    assert_eq!(parsed.to_string(), note);
    let forged: SignedNote = note.replace("answer", "basis").parse().unwrap();
    assert_eq!(forged.verify(&[key]), Err(NoteError::Forged));
}

#[test]
fn our_checkpoints_are_those_of_another_implementation() {
    let (signer, other) = (signer(NAME, 1), signer("witness", 2));
    let note = checkpoint().sign(&[&signer, &other]).unwrap();
    let theirs = Note::from_bytes(note.to_string().as_bytes()).unwrap();
    let key = signer.verifier().to_string();
    let verifier = StandardVerifier::new(&key).unwrap();
    assert_eq!(verifier.key_id(), signer.verifier().id());
    let keys = VerifierList::new(vec![Box::new(verifier)]);
    let (verified, unknown) = theirs.verify(&keys).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 1));
    let text = tlog_tiles::Checkpoint::from_bytes(theirs.text()).unwrap();
    assert_eq!(text.origin(), "server@k3v9q0aa7xmd");
    assert_eq!(text.size(), 20_852_163);
    assert_eq!(text.hash().0, [7; 32]);
}

#[test]
fn a_key_survives_being_written() {
    let signer = signer(NAME, 3);
    let text = signer.verifier().to_string();
    let read: VerifierKey = text.parse().unwrap();
    assert_eq!(&read, signer.verifier());
    assert_eq!(read.algorithm(), "ed25519");
}

#[test]
fn what_is_no_key_is_refused() {
    let refused = |text: &str| text.parse::<VerifierKey>().unwrap_err();
    let key = signer(NAME, 3).verifier().to_string();
    assert_eq!(refused("a+b"), KeyError::Form);
    assert_eq!(refused(&key.replacen(NAME, "other", 1)), KeyError::Id);
    assert_eq!(refused(&key.replacen(NAME, "two words", 1)), KeyError::Name);
    // ML-DSA-44, say.
    assert_eq!(refused("log+01020304+BgAA"), KeyError::Algorithm(6));
    assert_eq!(refused("log+01020304+AQAA"), KeyError::Bytes);
    // A key of small order would sign everything.
    assert_eq!(refused(&format!("log+01020304+AQEA{}", "A".repeat(41))), KeyError::Form);
    let weak = super::ed25519::public_key(&{
        let mut identity = [0; 32];
        identity[0] = 1;
        identity
    });
    assert!(weak.is_none());
    assert_eq!(Ed25519Signer::seed_from_hex("ab"), Err(SeedError));
}

#[test]
fn signatures_of_unknown_keys_are_ignored_and_forged_ones_are_not() {
    let (ours, theirs) = (signer(NAME, 1), signer("other", 2));
    let note = checkpoint().sign(&[&ours, &theirs]).unwrap();
    let keys = [ours.verifier().clone()];
    assert_eq!(note.verify(&keys).unwrap(), [&keys[0]]);
    let unknown = [signer("third", 3).verifier().clone()];
    assert_eq!(note.verify(&unknown), Err(NoteError::Unsigned));
    // Another key of the same name is another key.
    let namesake = [signer(NAME, 9).verifier().clone()];
    assert_eq!(note.verify(&namesake), Err(NoteError::Unsigned));
    let mut forged = note.clone();
    forged.signatures[0].bytes[3] ^= 1;
    assert_eq!(forged.verify(&keys), Err(NoteError::Forged));
}

#[test]
fn what_is_no_note_is_refused() {
    let note = checkpoint().sign(&[&signer(NAME, 1)]).unwrap().to_string();
    for broken in [
        note.trim_end(),
        &note.replace("\n\n", "\n"),
        &note.replace('\u{2014}', "-"),
        &note.replace("server", "ser\tver"),
        &format!("{note}\u{2014} name AAAA\n"),
        &format!("{note}\u{2014} name AAAAAA\n"),
        "",
    ] {
        assert!(broken.parse::<SignedNote>().is_err(), "{broken:?}");
    }
    let nobody = checkpoint().sign(&[]);
    assert_eq!(nobody, Err(NoteError::Signatures));
    let lines = Checkpoint { origin: "two\n\nlines".to_owned(), ..checkpoint() };
    assert_eq!(lines.sign(&[&signer(NAME, 1)]), Err(NoteError::Form));
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let text = checkpoint().to_string();
    assert_eq!(text.parse(), Ok(checkpoint()));
    assert_eq!(format!("{text}an extension\n").parse(), Ok(checkpoint()));
    for broken in [
        text.replace("2085", "02085"),
        text.replace("2085", "+2085"),
        text.replace("20852163", ""),
        text.replace("BwcH", "Bwc"),
        text.trim_end().to_owned(),
        "a\n1\n".to_owned(),
    ] {
        assert!(broken.parse::<Checkpoint>().is_err(), "{broken:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_parsers_panic(text in "\\PC*", lines in "[a-z\u{2014} +/=A-Z0-9\n]{0,200}") {
        for text in [&text, &lines] {
            let _ = text.parse::<SignedNote>();
            let _ = text.parse::<Checkpoint>();
            let _ = text.parse::<VerifierKey>();
        }
    }
}
