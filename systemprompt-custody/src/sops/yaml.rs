use saphyr_parser::{Event, Parser, ScalarStyle};

use super::SopsError;
use super::node::{Leaf, Node, add, check_depth};

/// The documents of a YAML file.
pub(super) fn read(text: &str) -> Result<Vec<Node>, SopsError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| {
            let line = error.marker().line();
            SopsError::Syntax(format!("line {line} is not YAML"))
        })?;
        builder.event(event)?;
    }
    Ok(builder.documents)
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
}

/// A collection whose end has not been seen.
enum Open {
    List(Vec<Node>),
    Map(Vec<(String, Node)>, Option<String>),
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), SopsError> {
        match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Alias(_) => Err(SopsError::Syntax("it has aliases".to_owned())),
            Event::Scalar(text, style, _, tag) => {
                if tag.is_some() {
                    return Err(SopsError::Syntax("it has tags".to_owned()));
                }
                let plain = style == ScalarStyle::Plain;
                self.scalar(text.into_owned(), plain)
            }
            Event::SequenceStart(..) => self.begin(Open::List(Vec::new())),
            Event::MappingStart(..) => self.begin(Open::Map(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(items)) => self.place(Node::List(items)),
                Some(Open::Map(entries, _)) => self.place(Node::Map(entries)),
                None => Ok(()),
            },
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), SopsError> {
        check_depth(self.open.len())?;
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: String, plain: bool) -> Result<(), SopsError> {
        if let Some(Open::Map(_, key @ None)) = self.open.last_mut() {
            *key = Some(text);
            return Ok(());
        }
        self.place(if plain { resolved(text) } else { Node::Leaf(Leaf::of(text)) })
    }

    fn place(&mut self, node: Node) -> Result<(), SopsError> {
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map(entries, key)) => {
                let no_key = || SopsError::Syntax("a key is no plain text".to_owned());
                add(entries, key.take().ok_or_else(no_key)?, node)?;
            }
        }
        Ok(())
    }
}

/// What a scalar without quotes means (YAML 1.2, core schema).
fn resolved(text: String) -> Node {
    let leaf = match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Null,
        "true" | "True" | "TRUE" => Leaf::truth(true),
        "false" | "False" | "FALSE" => Leaf::truth(false),
        _ => {
            let whole = text.parse::<i64>().ok().map(|number| Leaf::of(number.to_string()));
            let begins = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
            let broken = || text.parse::<f64>().ok().filter(|it| it.is_finite() && begins);
            whole.or_else(|| broken().map(Leaf::number)).unwrap_or_else(|| Leaf::of(text.clone()))
        }
    };
    Node::Leaf(leaf)
}
