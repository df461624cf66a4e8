use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{self, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use systemprompt_core::llm::ModelError;

/// The body of a request as it came, with the places of its members, so that some can be replaced while
/// every other byte stays.
#[derive(Debug, Clone)]
pub(super) struct RequestBody {
    bytes: Bytes,
    members: Vec<Member>,
}

#[derive(Debug, Clone)]
struct Member {
    key: String,
    value: Range<usize>,
}

/// Replacements in a body, by place.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl RequestBody {
    /// Finds the members of the object in `bytes`.
    ///
    /// # Errors
    /// [`ModelError`] for what is no JSON object, or names a member twice.
    pub(super) fn read(bytes: Bytes) -> Result<Self, ModelError> {
        let unfit =
            |problem: String| ModelError::invalid("body", problem).with_code("invalid_json");
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            unfit(format!("the body is not UTF-8 at byte {}", error.valid_up_to()))
        })?;
        let mut json = serde_json::Deserializer::from_str(text);
        let members = json
            .deserialize_map(MembersVisitor { text })
            .and_then(|members| json.end().map(|()| members))
            .map_err(|error| {
                unfit(format!("the body is no JSON object that can be read: {error}"))
            })?;
        Ok(Self { bytes, members })
    }

    /// The body.
    pub(super) const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The text at a place.
    pub(super) fn at(&self, place: &Range<usize>) -> &str {
        let bytes = self.bytes.get(place.clone()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The members: their names, and where their values are.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &Range<usize>)> {
        self.members.iter().map(|member| (member.key.as_str(), &member.value))
    }

    /// Where the value of a member is.
    pub(super) fn value(&self, key: &str) -> Option<&Range<usize>> {
        self.members().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Where the items of the array at `place` are; nothing when it is none.
    pub(super) fn items(&self, place: &Range<usize>) -> Vec<Range<usize>> {
        let text = self.at(place);
        let items = serde_json::Deserializer::from_str(text).deserialize_seq(ItemsVisitor { text });
        let items = items.unwrap_or_default().into_iter();
        items.map(|item| place.start + item.start..place.start + item.end).collect()
    }

    /// Where a whole member is, with the comma that parts it from another.
    pub(super) fn removal(&self, key: &str) -> Option<Range<usize>> {
        let at = self.members.iter().position(|member| member.key == key)?;
        let own = self.members.get(at)?.value.clone();
        if let Some(before) = at.checked_sub(1).and_then(|before| self.members.get(before)) {
            return Some(before.value.end..own.end);
        }
        let open = self.bytes.iter().position(|byte| *byte == b'{')? + 1;
        let comma = self.bytes.get(own.end..)?.iter().position(|byte| *byte == b',');
        match (comma, self.members.get(at + 1)) {
            (Some(comma), Some(_)) => Some(open..own.end + comma + 1),
            _ => Some(open..own.end),
        }
    }

    /// The body without some members; every other byte stays.
    ///
    /// # Errors
    /// None in fact: what was read is read again.
    pub(super) fn without(&self, keys: &[&str]) -> Result<Self, ModelError> {
        let mut body = self.clone();
        for key in keys {
            if let Some(place) = body.removal(key) {
                let mut edits = Edits::default();
                edits.replace(place, "");
                body = Self::read(body.with(edits))?;
            }
        }
        Ok(body)
    }

    /// The body with replacements.
    pub(super) fn with(&self, mut edits: Edits) -> Bytes {
        if edits.0.is_empty() {
            return self.bytes.clone();
        }
        edits.0.sort_by_key(|(place, _)| place.start);
        let mut all = Vec::with_capacity(self.bytes.len());
        let mut from = 0;
        for (place, text) in &edits.0 {
            all.extend_from_slice(self.bytes.get(from..place.start).unwrap_or_default());
            all.extend_from_slice(text.as_bytes());
            from = place.end.max(from);
        }
        all.extend_from_slice(self.bytes.get(from..).unwrap_or_default());
        all.into()
    }
}

impl Edits {
    pub(super) fn replace(&mut self, place: Range<usize>, text: impl Into<String>) {
        self.0.push((place, text.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where `raw` lies in `text`, of which it is a part.
fn place(text: &str, raw: &RawValue) -> Range<usize> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + raw.get().len()
}

struct MembersVisitor<'t> {
    text: &'t str,
}

impl<'de> Visitor<'de> for MembersVisitor<'de> {
    type Value = Vec<Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<Member> = Vec::new();
        while let Some((key, raw)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
            if members.iter().any(|member| member.key == key) {
                return Err(de::Error::custom(format_args!("the member `{key}` occurs twice")));
            }
            members.push(Member { key: key.into_owned(), value: place(self.text, raw) });
        }
        Ok(members)
    }
}

struct ItemsVisitor<'t> {
    text: &'t str,
}

impl<'de> Visitor<'de> for ItemsVisitor<'de> {
    type Value = Vec<Range<usize>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(raw) = seq.next_element::<&'de RawValue>()? {
            items.push(place(self.text, raw));
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> RequestBody {
        RequestBody::read(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_member_is_replaced_and_every_other_byte_stays() {
        let body = body("{ \"x\" : [1, {\"model\":2}] ,\n \"model\":\"a\\u0062\" , \"z\": 0.10 }");
        let mut edits = Edits::default();
        edits.replace(body.value("model").unwrap().clone(), "\"c\"");
        let text = "{ \"x\" : [1, {\"model\":2}] ,\n \"model\":\"c\" , \"z\": 0.10 }";
        assert_eq!(body.with(edits), text.as_bytes());
        assert_eq!(body.with(Edits::default()), body.bytes());
    }

    #[test]
    fn items_have_their_places() {
        let body = body(r#"{"messages": [ {"a": "é"}, 2 ,"x"]}"#);
        let items = body.items(body.value("messages").unwrap());
        let texts: Vec<_> = items.iter().map(|item| body.at(item)).collect();
        assert_eq!(texts, [r#"{"a": "é"}"#, "2", r#""x""#]);
        assert!(body.items(&(0..3)).is_empty());
    }

    #[test]
    fn a_member_is_taken_out_with_its_comma() {
        for (text, without) in [
            (r#"{"user":"x", "b": 1}"#, r#"{ "b": 1}"#),
            (r#"{"b": 1 , "user": "x" }"#, r#"{"b": 1 }"#),
            (r#"{"a":1,"user":{"c":[1,2]},"b":2}"#, r#"{"a":1,"b":2}"#),
            (r#"{ "user": "a,b" }"#, r#"{ }"#),
        ] {
            let body = body(text);
            let mut edits = Edits::default();
            edits.replace(body.removal("user").unwrap(), "");
            assert_eq!(body.with(edits), without.as_bytes(), "{text}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "{", r#"{"a":1,"a":2}"#, r#"{"a":1} x"#, "{\"a\":1}\0"] {
            let read = RequestBody::read(Bytes::copy_from_slice(text.as_bytes()));
            assert_eq!(read.unwrap_err().code.as_deref(), Some("invalid_json"), "{text:?}");
        }
        assert!(RequestBody::read(Bytes::from_static(b"{\"a\":\"\xff\"}")).is_err());
    }
}
