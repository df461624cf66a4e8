//! What the codecs are told beside the bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use systemprompt_core::llm::ModelRequest;
use systemprompt_providers::dialect::{Front, Reply, Source, UsageMode};

pub fn source(usage_mode: UsageMode) -> Source {
    let names =
        [("look_up".to_owned(), "look.up".to_owned()), ("p__text".to_owned(), "p".to_owned())];
    Source { provider: "p".into(), usage_mode, tool_names: Arc::new(BTreeMap::from(names)) }
}

pub fn reply(front: &dyn Front) -> Reply {
    Reply {
        id: "id_1".to_owned(),
        model: "m".to_owned(),
        created: 1,
        stream_usage: true,
        request: Arc::new(ModelRequest::new(front.dialect(), "m")),
    }
}
