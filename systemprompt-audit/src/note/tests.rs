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

/// The example of C2SP tlog-cosignature, whose key nobody has published.
#[test]
fn a_cosigned_checkpoint_is_read_as_another_implementation_reads_it() {
    let text =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let line = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
    let note: SignedNote = format!("{text}\n{line}\n").parse().unwrap();
    let ours = &note.signatures()[0];
    let theirs = signed_note::Signature::from_bytes(line.as_bytes()).unwrap();
    assert_eq!((&*ours.name, ours.key_id), (theirs.name(), theirs.id()));
    assert_eq!(ours.bytes, theirs.signature());
    assert_eq!(ours.bytes[..8], 1_679_315_147_u64.to_be_bytes());
    let checkpoint: Checkpoint = note.text().parse().unwrap();
    assert_eq!(checkpoint.size, 20_852_163);
}

/// A key and a cosignature of a witness made with nothing of ours.
fn cosigned(seconds: u64) -> (WitnessKey, SignedNote) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ed25519_dalek::Signer as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&[4; 32]);
    let mut typed = vec![4];
    typed.extend(key.verifying_key().to_bytes());
    let id = signed_note::key_id("w.example", &typed);
    let vkey = format!("w.example+{id:08x}+{}", STANDARD.encode(typed));
    let note = checkpoint().sign(&[&signer(NAME, 1)]).unwrap();
    let message = format!("cosignature/v1\ntime {seconds}\n{}", note.text());
    let mut bytes = seconds.to_be_bytes().to_vec();
    bytes.extend(key.sign(message.as_bytes()).to_bytes());
    let signature = signed_note::Signature::new("w.example".to_owned(), id, bytes).unwrap();
    let line = String::from_utf8(signature.to_bytes()).unwrap();
    (vkey.parse().unwrap(), format!("{note}{}\n", line.trim_end()).parse().unwrap())
}

#[test]
fn a_cosignature_counts_for_its_time_text_and_key_alone() {
    let (key, note) = cosigned(1_764_000_000);
    let found = key.cosignature(&note).unwrap().unwrap();
    assert_eq!(found.at.to_string(), "2025-11-24T16:00:00.000000Z");
    assert_eq!(key.to_string().parse(), Ok(key.clone()));
    // The log's own signature is none, and the witness's none of the log.
    let bare = checkpoint().sign(&[&signer(NAME, 1)]).unwrap();
    assert_eq!(key.cosignature(&bare), Ok(None));
    assert_eq!(note.verify(&[signer(NAME, 1).verifier().clone()]).unwrap().len(), 1);
    for at in [0, 7, 8, 71] {
        let mut forged = note.clone();
        forged.signatures[1].bytes[at] ^= 1;
        assert_eq!(key.cosignature(&forged), Err(NoteError::Forged), "{at}");
    }
    let mut short = note.clone();
    short.signatures[1].bytes.truncate(64);
    assert_eq!(key.cosignature(&short), Err(NoteError::Forged));
    // No time beyond 2^63 - 1.
    let (key, late) = cosigned(1 << 63);
    assert_eq!(key.cosignature(&late), Err(NoteError::Forged));
    // Of several the newest.
    let (_, later) = cosigned(1_764_000_001);
    let both = note.clone().with(later.signatures()).unwrap();
    assert_eq!(both.signatures().len(), 3);
    assert_eq!(key.cosignature(&both).unwrap().unwrap().signature, later.signatures[1]);
    // Keys of the one kind are none of the other.
    assert_eq!(key.to_string().parse::<VerifierKey>(), Err(KeyError::Witness));
    let log = signer(NAME, 1).verifier().to_string();
    assert_eq!(log.parse::<WitnessKey>(), Err(KeyError::NoWitness));
    assert_eq!("log+01020304+BgAA".parse::<WitnessKey>(), Err(KeyError::Algorithm(6)));
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
