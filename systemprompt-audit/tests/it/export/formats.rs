//! Each format is what its golden file says; `UPDATE=1` writes the files anew.

use std::path::Path;

use serde_json::Value;
use systemprompt_audit::EventRecord;
use systemprompt_audit::export::{Encoder, Format};

use super::samples::{HOSTILE, hostile, records, samples};

pub(crate) fn encoder(format: Format) -> Encoder {
    let encoder = Encoder::new(format, "gateway-1").version("1.2.3");
    if format == Format::SplunkHec { encoder.splunk_index("governance") } else { encoder }
}

pub(crate) fn encode(format: Format, event: &EventRecord) -> String {
    let mut line = Vec::new();
    encoder(format).encode(event, &mut line).unwrap();
    String::from_utf8(line).unwrap()
}

#[tokio::test]
async fn every_format_is_as_its_golden_file() {
    let samples = samples().await;
    let mut different = Vec::new();
    for format in Format::ALL {
        let mut lines = String::new();
        for event in &samples {
            lines.push_str(&encode(format, event));
            lines.push('\n');
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/it/export/golden")
            .join(format!("{format}.txt"));
        if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
            std::fs::write(&path, &lines).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != lines {
            different.push(format.as_str());
        }
    }
    assert!(different.is_empty(), "not as in their golden files: {different:?}");
}

#[tokio::test]
async fn hostile_texts_stay_in_their_line_and_come_back_whole() {
    let long = "x🦀\u{202e}\n".repeat(8_000);
    assert!(long.len() > 64 * 1024);
    for text in [HOSTILE, &long] {
        let record = records(vec![hostile(1, text)]).await.remove(0);
        for format in Format::ALL {
            let line = encode(format, &record);
            let odd = |c: &char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}');
            assert_eq!(line.chars().find(odd), None, "{format}");
            let found = match format {
                Format::Cef => cef_values(&line).iter().any(|value| *value == spelled(text)),
                _ => holds(&serde_json::from_str(&line).unwrap(), text),
            };
            assert!(found, "{format} lost the text: {}", line.get(..300).unwrap_or(&line));
        }
    }
}

#[tokio::test]
async fn every_format_carries_the_id_of_the_event() {
    for event in samples().await {
        for format in Format::ALL {
            let line = encode(format, &event);
            assert!(line.contains(&event.id.to_string()), "{format}: {line}");
        }
    }
}

#[tokio::test]
async fn the_header_of_cef_has_seven_parts_whatever_is_in_it() {
    for event in samples().await {
        let line = encode(Format::Cef, &event);
        let header = unescaped_bars(&line);
        assert_eq!(header, 7, "{line}");
    }
}

/// How many `|` of the header end a part: those before the extension that no `\` precedes.
fn unescaped_bars(line: &str) -> usize {
    let extension = line.find("rt=").unwrap();
    let (mut bars, mut escaped) = (0, false);
    for character in line[..extension].chars() {
        bars += usize::from(character == '|' && !escaped);
        escaped = character == '\\' && !escaped;
    }
    bars
}

/// The values of a CEF extension as a reader gives them back.
fn cef_values(line: &str) -> Vec<String> {
    let extension = &line[line.find("rt=").unwrap()..];
    let mut values = Vec::new();
    let mut value = String::new();
    let mut characters = extension.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some(other) => value.push(other),
                None => panic!("the line ends within an escape"),
            },
            // The key of the next value is the last word before it.
            '=' => {
                let text = value.rsplit_once(' ').map_or("", |(before, _)| before).to_owned();
                values.push(text);
                value.clear();
            }
            other => value.push(other),
        }
    }
    values.push(value);
    values
}

/// `text` with what does not show spelled out, as CEF carries it.
fn spelled(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\r')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
    };
    text.chars().fold(String::new(), |mut out, c| {
        if hidden(c) {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            out.push(c);
        }
        out
    })
}

fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(members) => members.values().any(|member| holds(member, text)),
        _ => false,
    }
}
