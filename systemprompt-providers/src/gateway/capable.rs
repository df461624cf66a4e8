use systemprompt_core::llm::{
    Block, BlockKind, Dialect, LossKind, LossReport, ModelError, ModelRequest,
};

use crate::dialect::{Capabilities, ProviderFlags};

/// Refuses pictures for a model that takes none, where the caller speaks its provider's own dialect: nobody writes
/// its words anew, so that nothing can be said in their place.
///
/// # Errors
/// [`ModelError`] that names the place of the first picture.
pub(super) fn refuse_pictures(
    request: &ModelRequest,
    model: &str,
    capabilities: &Capabilities,
) -> Result<(), ModelError> {
    if capabilities.images {
        return Ok(());
    }
    let place = request.messages.iter().enumerate().find_map(|(at, message)| {
        let block = message.content.iter().position(has_picture)?;
        Some((at, block))
    });
    let Some((message, block)) = place else { return Ok(()) };
    let field = match request.dialect {
        // Its messages and blocks are those of the canonical form, one by one.
        Dialect::Anthropic => format!("messages.{message}.content.{block}"),
        Dialect::Responses => "input".to_owned(),
        Dialect::Chat | Dialect::Gemini => "messages".to_owned(),
    };
    let problem = format!("`{field}`: the model `{model}` takes no pictures");
    Err(ModelError::invalid(field, problem).with_code("unsupported_image"))
}

fn has_picture(block: &Block) -> bool {
    match &block.kind {
        BlockKind::Image(_) => true,
        BlockKind::ToolResult { content, .. } => content.iter().any(has_picture),
        _ => false,
    }
}

/// Notes what a provider takes and passes over.
pub(super) fn note_unheeded(
    request: &ModelRequest,
    flags: &ProviderFlags,
    losses: &mut LossReport,
) {
    if !flags.heeds_top_k && request.sampling.top_k.is_some() {
        losses.note("top_k", LossKind::Dropped);
    }
    if !flags.heeds_stop && !request.stop_sequences.is_empty() {
        let field = if request.dialect == Dialect::Anthropic { "stop_sequences" } else { "stop" };
        losses.note(field, LossKind::Dropped);
    }
}

#[cfg(test)]
mod tests {
    use systemprompt_core::llm::{Media, MediaSource, Message, Role};

    use super::*;

    fn picture() -> Block {
        let source =
            MediaSource::Url { url: "https://a.example/x.png".to_owned(), media_type: None };
        Block::new(BlockKind::Image(Media { source, title: None, detail: None }))
    }

    #[test]
    fn a_picture_is_found_where_it_stands() {
        let blind = Capabilities { images: false, ..Capabilities::default() };
        let mut request = ModelRequest::new(Dialect::Anthropic, "m");
        let say = |content| Message { role: Role::User, content };
        request.messages = vec![say(vec![Block::text("a")]), say(vec![Block::text("b")])];
        assert_eq!(refuse_pictures(&request, "up", &blind), Ok(()));
        let result = BlockKind::ToolResult {
            tool_use_id: "t".to_owned(),
            content: vec![Block::text("c"), picture()],
            is_error: false,
        };
        for block in [picture(), Block::new(result)] {
            request.messages[1].content = vec![Block::text("b"), block];
            let error = refuse_pictures(&request, "up", &blind).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("messages.1.content.1"));
            assert_eq!(error.code.as_deref(), Some("unsupported_image"));
            assert!(error.message.contains("`up`"), "{}", error.message);
            assert_eq!(refuse_pictures(&request, "up", &Capabilities::default()), Ok(()));
        }
    }

    #[test]
    fn what_is_passed_over_is_noted_by_the_callers_name_for_it() {
        let flags =
            ProviderFlags { heeds_top_k: false, heeds_stop: false, ..ProviderFlags::default() };
        for (dialect, expected) in [
            (Dialect::Anthropic, "stop_sequences=dropped,top_k=dropped"),
            (Dialect::Chat, "stop=dropped,top_k=dropped"),
        ] {
            let mut request = ModelRequest::new(dialect, "m");
            let mut losses = LossReport::default();
            note_unheeded(&request, &flags, &mut losses);
            assert!(losses.is_empty());
            request.sampling.top_k = Some(3);
            request.stop_sequences = vec!["x".to_owned()];
            note_unheeded(&request, &ProviderFlags::default(), &mut losses);
            assert!(losses.is_empty());
            note_unheeded(&request, &flags, &mut losses);
            let mut told: Vec<_> = losses.to_string().split(',').map(str::to_owned).collect();
            told.sort();
            assert_eq!(told.join(","), expected);
        }
    }
}
