use proptest::prelude::*;
use systemprompt_core::call::{CallContext, Door};
use systemprompt_core::content::StreamOrigin;
use systemprompt_core::contract::InspectStream as _;
use systemprompt_core::decision::DenialReason;
use systemprompt_core::policy::{PolicyDocument, SecretAction, SecretDirection};
use systemprompt_governance::SecretStream;

use super::{act, aws, github, with};
use crate::house::{House, house, starter, user};

fn stream(house: &House) -> SecretStream {
    house.governor.inspect_stream(StreamOrigin {
        direction: SecretDirection::Answer,
        principal: user(),
        tool: None,
        door: Door::Gateway,
        context: CallContext::default(),
    })
}

/// What goes on of a text in pieces, and why it ended if it did.
async fn pieces<'p>(
    house: &House,
    pieces: impl IntoIterator<Item = &'p str>,
) -> (String, Option<DenialReason>) {
    let (mut stream, mut out) = (stream(house), String::new());
    for piece in pieces {
        match stream.push(piece).await {
            Ok(text) => out.push_str(&text),
            Err(reason) => return (out, Some(reason)),
        }
    }
    match stream.finish().await {
        Ok(text) => (out + &text, None),
        Err(reason) => (out, Some(reason)),
    }
}

fn cut<'t>(text: &'t str, lengths: &[usize]) -> Vec<&'t str> {
    let (mut rest, mut cut, mut at) = (text, Vec::new(), 0);
    while !rest.is_empty() {
        let wanted = lengths.get(at % lengths.len().max(1)).copied().unwrap_or(1).max(1);
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(wanted));
        cut.push(piece);
        (rest, at) = (after, at + 1);
    }
    cut
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn armour() -> String {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n";
    format!("-----BEGIN {0}-----\n{1}-----END {0}-----", "PRIVATE KEY", line.repeat(24))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn however_it_is_cut_the_same_goes_on(lengths in prop::collection::vec(1..40_usize, 1..30)) {
        let house = house(starter());
        let text = format!(
            "Prose, then \"{}\" and über {{\"key\": \"{}\"}} — more.\n{}\nthe end",
            github(), aws(), "a line of words\n".repeat(400)
        );
        let (out, ended) = block(pieces(&house, cut(&text, &lengths)));
        prop_assert_eq!(ended, None);
        let clean = text
            .replace(&github(), "[redacted:github-token]")
            .replace(&aws(), "[redacted:aws-access-key-id]");
        prop_assert_eq!(out, clean);
    }

    #[test]
    fn a_secret_with_breaks_inside_never_goes_on_whole(
        lengths in prop::collection::vec(1..90_usize, 1..30),
        lines in prop_oneof![Just(0), 60..300_usize],
    ) {
        let house = house(starter());
        let spaced: String = github().chars().flat_map(|c| [c, ' ']).collect();
        let joined = format!("'{}' + '{}'", &github()[..18], &github()[18..]);
        let named = format!("db_password = \"{}\"", "kT9qLw2zRv7pXm4B");
        for secret in [armour(), spaced.trim().to_owned(), joined, named] {
            let text = format!("before {}{secret} after", "a line of words\n".repeat(lines));
            let (out, _) = block(pieces(&house, cut(&text, &lengths)));
            prop_assert!(!out.contains(&secret), "{}", out);
            prop_assert!(out.starts_with("before "), "{}", out);
            prop_assert!(out.contains("[redacted:"), "{}", out);
        }
    }

    #[test]
    fn benign_text_comes_out_as_it_went_in(text in "\\PC{0,2000}", lengths in prop::collection::vec(1..200_usize, 1..9)) {
        let house = house(PolicyDocument { ..starter() });
        let (out, ended) = block(pieces(&house, cut(&text, &lengths)));
        prop_assert_eq!(ended, None);
        prop_assert_eq!(out, text);
    }
}

#[tokio::test]
async fn what_may_begin_a_secret_waits_and_prose_does_not() {
    let house = house(starter());
    let mut stream = stream(&house);
    assert_eq!(stream.push("Hello wor").await.unwrap(), "Hello ");
    assert_eq!(stream.push("ld, ").await.unwrap(), "world, ");
    let token = github();
    assert_eq!(stream.push(&token[..30]).await.unwrap(), "");
    assert_eq!(stream.push(&token[30..]).await.unwrap(), "");
    assert_eq!(stream.push(".").await.unwrap(), "");
    assert_eq!(stream.push("\n").await.unwrap(), "[redacted:github-token].\n");
    assert_eq!(stream.finish().await.unwrap(), "");
    assert_eq!(house.log.events.lock().len(), 1);
    assert!(!house.log.text().contains(&token));
}

#[tokio::test]
async fn a_denied_stream_ends_before_the_secret() {
    let house = house(with(vec![act(SecretAction::Deny)]));
    let text = format!("one two {} three", github());
    let (out, ended) = pieces(&house, cut(&text, &[5])).await;
    assert_eq!(out, "one two ");
    assert_eq!(ended.unwrap().code(), "secret_detected");
    let mut stream = stream(&house);
    assert!(stream.push(&format!("{} ", github())).await.is_err());
    assert!(stream.push("harmless ").await.is_err() && stream.finish().await.is_err());
}

#[tokio::test]
async fn nothing_with_a_finding_goes_on_without_its_record() {
    let house = house(starter());
    house.log.set_broken(true);
    let text = format!("one {} two", github());
    let (out, ended) = pieces(&house, [text.as_str()]).await;
    assert_eq!((out.as_str(), ended.unwrap().code()), ("", "audit_unavailable"));
}

#[tokio::test]
async fn a_handle_in_a_stream_is_one_piece() {
    let house = house(with(vec![act(SecretAction::Tokenise)]));
    let text = format!("use {} now", github());
    let (out, _) = pieces(&house, cut(&text, &[3])).await;
    let handle = out.strip_prefix("use ").unwrap().strip_suffix(" now").unwrap();
    assert!(handle.starts_with("secret://h/") && handle.len() == 43, "{out}");
}

#[tokio::test]
async fn a_run_without_an_end_is_held_in_bounded_memory() {
    let house = house(starter());
    let mut stream = stream(&house);
    let (mut out, mut length) = (0, 0);
    for at in 0..20_000 {
        let piece = ["abcdefg", "hijk", "lmnopqrstuv"][at % 3];
        length += piece.len();
        out += stream.push(piece).await.unwrap().len();
        assert!(length - out <= 8 * 1024 + 16, "{} bytes wait", length - out);
    }
    out += stream.finish().await.unwrap().len();
    assert_eq!(out, length);
    let debug = format!("{stream:?}");
    let seen: usize =
        debug.split("seen: ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!(seen <= 4 * 1024, "{debug}");
}
