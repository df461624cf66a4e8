use serde_json::json;
use systemprompt_core::llm::{Media, MediaSource};

use super::*;

fn media(source: MediaSource) -> Media {
    Media { source, title: None, detail: None }
}

fn base64(media_type: &str, data: &str) -> Media {
    media(MediaSource::Base64 { media_type: media_type.into(), data: data.into() })
}

fn at(url: &str, media_type: Option<&str>) -> Media {
    media(MediaSource::Url { url: url.into(), media_type: media_type.map(Into::into) })
}

fn showing(kind: BlockKind) -> ModelRequest {
    let mut request = asked("what is it?");
    request.messages[0].content.push(Block::new(kind));
    request
}

fn part(kind: BlockKind) -> Value {
    send(&showing(kind)).body["contents"][0]["parts"][1].clone()
}

#[test]
fn bytes_in_the_request_stay_as_they_are() {
    let data = "iVBORw0KGgo+/w==";
    let expected = json!({"inlineData": {"mimeType": "image/png", "data": data}});
    assert_eq!(part(BlockKind::Image(base64("image/png", data))), expected);
    let url = format!("data:image/png;charset=x;base64,{data}");
    assert_eq!(part(BlockKind::Image(at(&url, None))), expected);
    let pdf = part(BlockKind::Document(base64("application/pdf", "JVBERi0=")));
    assert_eq!(pdf["inlineData"]["mimeType"], "application/pdf");
    let wav = part(BlockKind::Audio(base64("audio/wav", "UklGRg==")));
    assert_eq!(wav["inlineData"]["mimeType"], "audio/wav");
}

#[test]
fn a_document_that_is_text_is_text() {
    let mut document = media(MediaSource::Text { text: "all rise".into() });
    assert_eq!(part(BlockKind::Document(document.clone())), json!({"text": "all rise"}));
    document.title = Some("Minutes".into());
    assert_eq!(part(BlockKind::Document(document)), json!({"text": "Minutes\n\nall rise"}));
}

#[test]
fn addresses_that_the_provider_reads_are_passed_on() {
    let picture = part(BlockKind::Image(at("https://a.example/p.jpg?w=1", None)));
    let file = json!({"mimeType": "image/jpeg", "fileUri": "https://a.example/p.jpg?w=1"});
    assert_eq!(picture, json!({ "fileData": file }));
    let said = part(BlockKind::Document(at("https://a.example/1", Some("application/pdf"))));
    assert_eq!(said["fileData"]["mimeType"], "application/pdf");
    let kept = "https://generativelanguage.googleapis.com/v1beta/files/x";
    assert_eq!(part(BlockKind::Image(at(kept, None))), json!({"fileData": {"fileUri": kept}}));
}

#[test]
fn addresses_that_it_does_not_read_are_refused() {
    for (url, media_type) in [
        ("http://a.example/p.jpg", None),
        ("https://a.example/p", None),
        ("https://a.example/p.gif", None),
        ("https://a.example/p", Some("image/gif")),
        ("file:///etc/passwd", Some("image/png")),
        ("data:,x", None),
        ("data:;base64,eA==", None),
        ("", None),
    ] {
        let error = refuse(&showing(BlockKind::Image(at(url, media_type))));
        assert_eq!(error.field.as_deref(), Some("messages.0.content.1.source.url"), "{url}");
    }
    let kind = BlockKind::Document(media(MediaSource::File { id: "file_1".into() }));
    assert_eq!(
        refuse(&showing(kind)).field.as_deref(),
        Some("messages.0.content.1.source.file_id")
    );
    let old = showing(BlockKind::Image(at("https://a.example/p.jpg", None)));
    let (can, flags) = (Capabilities::default(), ProviderFlags::default());
    assert!(try_send(&old, "gemini-2.0-flash", &can, &flags).is_err());
    assert!(try_send(&old, "gemini-2.5-flash", &can, &flags).is_ok());
}

#[test]
fn a_model_that_sees_no_pictures_is_told_of_them() {
    let can = Capabilities { images: false, ..Capabilities::default() };
    let request = showing(BlockKind::Image(base64("image/png", "eA==")));
    let sent = try_send(&request, "m", &can, &ProviderFlags::default()).unwrap();
    assert!(sent.body["contents"][0]["parts"][1]["text"].is_string());
    assert!(sent.lost("messages.0.content.1", LossKind::Degraded));
}

#[test]
fn titles_and_details_are_noted() {
    let mut picture = base64("image/png", "eA==");
    picture.title = Some("t".into());
    picture.detail = Some("low".into());
    let sent = send(&showing(BlockKind::Image(picture)));
    assert!(sent.lost("messages.0.content.1.title", LossKind::Dropped));
    assert!(sent.lost("messages.0.content.1.detail", LossKind::Hint));
}

#[test]
fn pictures_in_results_are_not_lost() {
    let mut request = asked("look");
    request.messages.push(said(Role::Assistant, vec![call("a", "shot", "{}")]));
    let picture = Block::new(BlockKind::Image(base64("image/png", "iVBORw==")));
    let notes = Block::new(BlockKind::Document(media(MediaSource::Text { text: "notes".into() })));
    request
        .messages
        .push(said(Role::User, vec![result("a", vec![Block::text("here"), picture, notes])]));
    let inline = json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}});
    let sent = send(&request);
    let response = &sent.body["contents"][2]["parts"][0]["functionResponse"];
    assert_eq!(response["response"], json!({"output": "here\nnotes"}));
    assert_eq!(response["parts"], json!([inline]));
    // Older models take them beside the result alone.
    let (can, flags) = (Capabilities::default(), ProviderFlags::default());
    let sent = try_send(&request, "gemini-2.5-pro", &can, &flags).unwrap();
    let contents = sent.body["contents"].as_array().unwrap();
    assert_eq!(contents[2]["parts"][0]["functionResponse"].get("parts"), None);
    assert_eq!(contents[3]["parts"][1], inline);
    assert!(sent.losses.is_empty(), "{:?}", sent.losses);
}
