use serde_json::{Map, Number, Value};
use systemprompt_core::llm::{LossKind, ModelError, OutputFormat};

use super::{Encoder, schema};

/// The most strings that may end an answer.
const STOP_LIMIT: usize = 5;

impl Encoder<'_> {
    /// `generationConfig`.
    pub(super) fn generation_config(&mut self) -> Result<Map<String, Value>, ModelError> {
        let mut config = Map::new();
        if let Some(most) = self.max_output_tokens() {
            config.insert("maxOutputTokens".to_owned(), most.into());
        }
        self.stop_sequences(&mut config);
        self.sampling(&mut config);
        self.output(&mut config)?;
        if let Some(thinking) = self.thinking() {
            config.insert("thinkingConfig".to_owned(), thinking);
        }
        if self.request.verbosity.is_some() {
            self.lose(self.fields.verbosity(), LossKind::Dropped);
        }
        Ok(config)
    }

    fn max_output_tokens(&mut self) -> Option<u64> {
        let asked = self.request.max_output_tokens?;
        // The wire has 32 bits for it, and no answer of nothing.
        let most = self.to.capabilities.max_output.unwrap_or(u64::MAX).clamp(1, i32::MAX as u64);
        let within = asked.clamp(1, most);
        if within != asked {
            self.lose(self.fields.max_output(), LossKind::Clamped);
        }
        Some(within)
    }

    fn stop_sequences(&mut self, config: &mut Map<String, Value>) {
        let said =
            self.request.stop_sequences.iter().enumerate().filter(|(_, text)| !text.is_empty());
        let mut taken: Vec<Value> = Vec::new();
        for (at, text) in said {
            if taken.len() < STOP_LIMIT {
                taken.push(text.as_str().into());
            } else {
                self.lose(format!("{}.{at}", self.fields.stop()), LossKind::Dropped);
            }
        }
        if !taken.is_empty() {
            config.insert("stopSequences".to_owned(), taken.into());
        }
    }

    fn sampling(&mut self, config: &mut Map<String, Value>) {
        let sampling = self.request.sampling;
        let takes = self.to.capabilities.sampling;
        let mut number =
            |name: &str, field: &str, value: Option<f64>, low: f64, high: f64, taken: bool| {
                let Some(value) = value else { return };
                let within = value.clamp(low, high);
                match Number::from_f64(within).filter(|_| taken) {
                    Some(number) => {
                        if (within - value).abs() > 0.0 {
                            self.losses.note(field, LossKind::Clamped);
                        }
                        config.insert(name.to_owned(), number.into());
                    }
                    None => self.losses.note(field, LossKind::Dropped),
                }
            };
        number("temperature", "temperature", sampling.temperature, 0.0, 2.0, takes);
        number("topP", "top_p", sampling.top_p, 0.0, 1.0, takes);
        number("presencePenalty", "presence_penalty", sampling.presence_penalty, -2.0, 2.0, true);
        number(
            "frequencyPenalty",
            "frequency_penalty",
            sampling.frequency_penalty,
            -2.0,
            2.0,
            true,
        );
        if let Some(top_k) = sampling.top_k {
            match i32::try_from(top_k).ok().filter(|_| takes) {
                Some(top_k) => _ = config.insert("topK".to_owned(), top_k.into()),
                None => self.lose("top_k", LossKind::Dropped),
            }
        }
        if let Some(seed) = sampling.seed {
            match i32::try_from(seed) {
                Ok(seed) => _ = config.insert("seed".to_owned(), seed.into()),
                Err(_) => self.lose("seed", LossKind::Dropped),
            }
        }
    }

    /// The form of the answer.
    fn output(&mut self, config: &mut Map<String, Value>) -> Result<(), ModelError> {
        let wanted = match &self.request.output {
            OutputFormat::Text => return Ok(()),
            OutputFormat::JsonObject => None,
            OutputFormat::JsonSchema { name, description, schema, strict } => {
                for (member, said, what) in [
                    ("name", name.is_some(), LossKind::Hint),
                    ("description", description.is_some(), LossKind::Dropped),
                    // The wire always holds the model to the schema.
                    ("strict", *strict == Some(false), LossKind::Hint),
                ] {
                    if said {
                        self.lose(self.fields.output_member(member), what);
                    }
                }
                Some(schema)
            }
        };
        config.insert("responseMimeType".to_owned(), "application/json".into());
        let Some(wanted) = wanted else { return Ok(()) };
        let field = self.fields.output_member("schema");
        if !wanted.is_object() {
            return Err(ModelError::invalid(field, "the schema of the answer is no object"));
        }
        if self.to.flags.json_schema {
            config.insert("responseJsonSchema".to_owned(), schema::whole(wanted));
        } else {
            let schema = schema::cleaned(wanted, &field, &mut self.losses)?;
            config.insert("responseSchema".to_owned(), schema);
        }
        Ok(())
    }

    /// The tier of service, by the words of the wire.
    pub(super) fn service_tier(&mut self) -> Option<&'static str> {
        match self.request.service_tier.as_deref()? {
            "auto" => None,
            "flex" => Some("flex"),
            "priority" => Some("priority"),
            "default" | "standard" | "standard_only" => Some("standard"),
            _ => {
                self.lose("service_tier", LossKind::Hint);
                None
            }
        }
    }
}
