use systemprompt_core::llm::{ErrorKind, ModelError, StopReason};

/// What a `finishReason` says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Finish {
    /// The answer is whole.
    Stop(StopReason),
    /// There is none: what came before it is not to be used.
    Failed(ModelError),
}

/// Reads `finishReason`; `message` is the `finishMessage` beside it. `STOP` is the end of a call of a tool as
/// well, which the caller sees in the parts.
pub(super) fn finish(reason: &str, message: Option<&str>) -> Finish {
    match reason {
        // The latter is what compatible servers say after a call.
        "STOP" | "FUNCTION_CALL" => Finish::Stop(StopReason::EndTurn),
        "MAX_TOKENS" => Finish::Stop(StopReason::MaxTokens),
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::Stop(StopReason::ContentFilter),
        // The model wrote what is no answer; asking again may help.
        "MALFORMED_FUNCTION_CALL"
        | "MALFORMED_RESPONSE"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS" => Finish::Failed(failure(ErrorKind::BadGateway, reason, message)),
        // The history lacks what the model signed; asking again does not help.
        "MISSING_THOUGHT_SIGNATURE" => {
            Finish::Failed(failure(ErrorKind::InvalidRequest, reason, message))
        }
        other => Finish::Stop(StopReason::Other(other.to_owned())),
    }
}

fn failure(kind: ErrorKind, reason: &str, message: Option<&str>) -> ModelError {
    let said = message.map(|message| format!(": {message}")).unwrap_or_default();
    ModelError::new(kind, format!("the model's answer ended with {reason}{said}"))
        .with_code(reason.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_call_is_a_failure_and_never_an_end() {
        for reason in [
            "MALFORMED_FUNCTION_CALL",
            "MALFORMED_RESPONSE",
            "UNEXPECTED_TOOL_CALL",
            "TOO_MANY_TOOL_CALLS",
        ] {
            let Finish::Failed(error) = finish(reason, Some("call:x{")) else { panic!("{reason}") };
            assert_eq!(error.code, Some(reason.to_ascii_lowercase()));
            assert!(error.kind.is_transient());
            assert!(error.message.contains("call:x{"), "{}", error.message);
        }
    }

    #[test]
    fn filters_are_told_from_ends() {
        assert_eq!(finish("SAFETY", None), Finish::Stop(StopReason::ContentFilter));
        assert_eq!(finish("MAX_TOKENS", None), Finish::Stop(StopReason::MaxTokens));
        assert_eq!(finish("FUNCTION_CALL", None), finish("STOP", None));
        assert_eq!(finish("LANGUAGE", None), Finish::Stop(StopReason::Other("LANGUAGE".into())));
    }
}
