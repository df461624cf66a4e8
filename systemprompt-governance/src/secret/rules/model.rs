//! Model providers and data platforms.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::new("anthropic-api-key", "Anthropic", &["sk-ant-"], r"sk-ant-[A-Za-z0-9_-]{20,}"),
    Rule::new(
        "openrouter-api-key",
        "OpenRouter",
        &["sk-or-"],
        r"sk-or-(v[0-9]-)?[a-zA-Z0-9]{40,80}",
    )
    .word(),
    Rule::new(
        "openai-api-key",
        "OpenAI",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"],
        r"sk-(proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}",
    ),
    // The older form; several other providers hand out keys of the same shape.
    Rule::new("openai-api-key", "OpenAI", &["sk-"], r"sk-[A-Za-z0-9]{20,}").word().digit(),
    Rule::new(
        "huggingface-token",
        "Hugging Face",
        &["hf_", "api_org_"],
        r"(hf_[A-Za-z0-9]{30,40}|api_org_[A-Za-z0-9]{34})",
    )
    .word(),
    Rule::new("replicate-api-token", "Replicate", &["r8_"], r"r8_[A-Za-z0-9]{37}").word(),
    Rule::new("groq-api-key", "Groq", &["gsk_"], r"gsk_[A-Za-z0-9]{40,60}").word(),
    Rule::new("xai-api-key", "xAI", &["xai-"], r"xai-[A-Za-z0-9]{60,100}").word(),
    Rule::new("perplexity-api-key", "Perplexity", &["pplx-"], r"pplx-[A-Za-z0-9]{40,60}"),
    Rule::new("fireworks-api-key", "Fireworks", &["fw_"], r"fw_[A-Za-z0-9]{20,30}")
        .word()
        .closed()
        .digit(),
    Rule::new("nvidia-api-key", "NVIDIA", &["nvapi-"], r"nvapi-[A-Za-z0-9_-]{60,80}"),
    Rule::new(
        "langsmith-api-key",
        "LangChain",
        &["lsv2_"],
        r"lsv2_(pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}",
    ),
    Rule::new("tavily-api-key", "Tavily", &["tvly-"], r"tvly-(dev-|prod-)?[A-Za-z0-9]{28,40}"),
    Rule::new(
        "databricks-token",
        "Databricks",
        &["dapi", "dose", "dsapi"],
        r"(dapi|dose|dsapi)[a-f0-9]{32}(-[0-9]{1,2})?",
    )
    .word(),
    Rule::new(
        "pinecone-api-key",
        "Pinecone",
        &["pcsk_"],
        r"pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{50,70}",
    ),
    Rule::new("elevenlabs-api-key", "ElevenLabs", &["sk_"], r"sk_[a-f0-9]{48}").word().closed(),
    Rule::named(
        "cohere-or-mistral-key",
        "generic",
        &["cohere", "mistral", "together"],
        r"([A-Za-z0-9]{32,40}|[a-f0-9]{64})",
    ),
    Rule::named("snowflake-token", "Snowflake", &["snowflake"], r"[A-Za-z0-9_/+=.-]{40,}"),
    Rule::new(
        "wandb-api-key",
        "Weights & Biases",
        &["wandb_v1_"],
        r"wandb_v1_[A-Za-z0-9_]{60,100}",
    ),
    Rule::new("neon-api-key", "Neon", &["napi_"], r"napi_[a-z0-9]{60,70}").word(),
    Rule::new("clickhouse-cloud-secret", "ClickHouse", &["4b1d"], r"4b1d[A-Za-z0-9]{38}")
        .word()
        .closed(),
];
