use super::event_proof::Extra;
use super::*;
use crate::merkle::{Tree, hash_leaf};
use crate::note::{Checkpoint, Ed25519Signer, Signer as _};

const LEAF: &str = r#"{"kind":"tracked","origin":"server@a","seq":1,"v":1}"#;

fn proof() -> (EventProof, Ed25519Signer) {
    let signer = Ed25519Signer::new("audit@a", &[1; 32]).unwrap();
    let mut tree = Tree::new();
    tree.append(hash_leaf(LEAF.as_bytes()), &mut Vec::new());
    tree.append([9; 32], &mut Vec::new());
    let checkpoint = Checkpoint { origin: "server@a".to_owned(), size: 2, root: tree.root() };
    let proof = EventProof {
        extra: Extra { leaf: LEAF.to_owned(), disclosed: None },
        index: 0,
        path: vec![[9; 32]],
        note: checkpoint.sign(&[&signer]).unwrap(),
    };
    (proof, signer)
}

#[test]
fn a_proof_needs_only_the_key() {
    let (proof, signer) = proof();
    let read: EventProof = proof.to_string().parse().unwrap();
    assert_eq!(read, proof);
    let keys = [signer.verifier().clone()];
    let event = read.verify(&keys).unwrap();
    assert_eq!((&*event.origin, event.seq, event.size), ("server@a", 1, 2));
    assert_eq!(event.leaf["kind"], "tracked");
    let other = Ed25519Signer::new("audit@a", &[2; 32]).unwrap().verifier().clone();
    assert!(matches!(read.verify(&[other]), Err(ProofFault::Signature(_))));
}

#[test]
fn a_changed_proof_proves_nothing() {
    let (proof, signer) = proof();
    let keys = [signer.verifier().clone()];
    let fault = |change: &dyn Fn(&mut EventProof)| {
        let mut changed = proof.clone();
        change(&mut changed);
        changed.verify(&keys).unwrap_err()
    };
    let root = ProofFault::Inclusion(crate::merkle::ProofError::Root);
    assert_eq!(fault(&|proof| proof.extra.leaf = LEAF.replace("tracked", "outcome")), root);
    assert_eq!(fault(&|proof| proof.index = 1), root);
    assert_eq!(fault(&|proof| proof.path[0][0] ^= 1), root);
    assert!(matches!(fault(&|proof| proof.path.clear()), ProofFault::Inclusion(_)));
    for broken in [
        proof.to_string().replace("index 0", "index 00"),
        proof.to_string().replace("@v1", "@v2"),
        proof.to_string().replace("extra ", "extra !"),
        proof.to_string().replacen("\n\n", "\n", 1),
        String::new(),
    ] {
        assert!(broken.parse::<EventProof>().is_err(), "{broken}");
    }
}

#[test]
fn an_event_is_named_by_its_id_with_or_without_dashes_or_by_its_place() {
    let id = "01936b1c-7a4e-7c1d-9b2f-0a1b2c3d4e5f";
    let named: WhichEvent = id.parse().unwrap();
    assert!(matches!(&named, WhichEvent::Id(named) if named.to_string() == id));
    let bare: WhichEvent = id.replace('-', "").parse().unwrap();
    assert!(matches!(&bare, WhichEvent::Id(bare) if bare.to_string() == id));
    assert!(matches!("server@a:7".parse(), Ok(WhichEvent::Place { seq: 7, .. })));
    for wrong in ["", "server@a", "01936b1c", "server@a:x"] {
        assert!(wrong.parse::<WhichEvent>().is_err(), "{wrong}");
    }
}
