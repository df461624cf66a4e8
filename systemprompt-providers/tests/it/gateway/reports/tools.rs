//! Tools, and their schemas.

use serde_json::{Value, json};

use super::super::house::House;
use super::super::wire::Wire;
use super::{model, sends};

/// A request with one tool.
fn with_tool(front: Wire, upstream: Wire, schema: &Value) -> Value {
    let mut asked = front.request(&model(upstream), false);
    let (name, about) = ("look_up", "looks up");
    asked["tools"] = match front {
        Wire::A => json!([{"name": name, "description": about, "input_schema": schema}]),
        Wire::C => json!([{"type": "function",
            "function": {"name": name, "description": about, "parameters": schema}}]),
        _ => {
            json!([{"type": "function", "name": name, "description": about, "parameters": schema}])
        }
    };
    asked
}

#[tokio::test]
async fn bifrost_3511_tools_are_as_anthropic_takes_them() {
    let house = House::new().await;
    let schema =
        json!({"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]});
    for front in [Wire::C, Wire::R] {
        let sent = sends(&house, front, Wire::A, &with_tool(front, Wire::A, &schema)).await;
        let expected =
            json!([{"name": "look_up", "description": "looks up", "input_schema": schema}]);
        assert_eq!(sent["tools"], expected, "{front:?}");
    }
}

#[tokio::test]
async fn bifrost_3512_a_tool_without_parameters_has_a_schema() {
    let house = House::new().await;
    for front in [Wire::C, Wire::R] {
        for schema in [Value::Null, json!({})] {
            let sent = sends(&house, front, Wire::A, &with_tool(front, Wire::A, &schema)).await;
            let tool = &sent["tools"][0];
            assert_eq!(tool["input_schema"]["type"], "object", "{front:?} {sent}");
            let members: Vec<&String> = tool.as_object().unwrap().keys().collect();
            assert_eq!(members, ["description", "input_schema", "name"], "{front:?}");
        }
    }
}

#[tokio::test]
async fn agentgateway_2804_a_tool_that_another_provider_runs() {
    let house = House::new().await;
    for upstream in [Wire::C, Wire::R, Wire::G] {
        let mut asked = Wire::A.request(&model(upstream), false);
        asked["tools"] = json!([{"type": "web_search_20250305", "name": "web_search"}]);
        let reply = house.ask(Wire::A, &asked).await;
        assert_eq!(reply.status, 400, "{upstream:?} {}", reply.text());
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
        assert!(reply.text().contains("web_search"), "{}", reply.text());
    }
    assert_eq!(house.upstream.requests(), 0);
    // Where it is one's own it is sent on.
    let mut asked = Wire::A.request("a-x", false);
    asked["tools"] = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    let sent = sends(&house, Wire::A, Wire::A, &asked).await;
    assert_eq!(sent["tools"], asked["tools"]);
}

/// Asserts that the schema of a tool gets to Gemini in a form that it takes.
async fn reaches_gemini(property: &Value, keyword: &str) {
    let house = House::new().await;
    let mut schema = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "properties": {"q": property}, "required": ["q"]});
    if keyword == "additionalProperties" || keyword == "propertyNames" {
        schema[keyword] = property[keyword].clone();
    }
    for front in [Wire::A, Wire::C, Wire::R] {
        let sent = sends(&house, front, Wire::G, &with_tool(front, Wire::G, &schema)).await;
        let tool = &sent["tools"][0]["functionDeclarations"][0];
        assert_eq!(tool["name"], "look_up", "{sent}");
        // `parameters` is a schema of its own kind, in which the keyword is an error.
        match tool.get("parameters") {
            Some(parameters) => {
                assert!(!parameters.to_string().contains(keyword), "{front:?} {tool}");
            }
            None => {
                let whole = &tool["parametersJsonSchema"];
                assert_eq!(whole["properties"]["q"], *property, "{front:?} {tool}");
                assert_eq!(whole.get("$schema"), None, "{front:?} {tool}");
            }
        }
    }
}

#[tokio::test]
async fn claude_code_router_187_additional_properties() {
    reaches_gemini(
        &json!({"type": "object", "additionalProperties": false}),
        "additionalProperties",
    )
    .await;
}

#[tokio::test]
async fn vibeproxy_338_property_names() {
    let schema = json!({"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}});
    reaches_gemini(&schema, "propertyNames").await;
}

#[tokio::test]
async fn omniroute_12871_prefix_items() {
    let schema = json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]});
    reaches_gemini(&schema, "prefixItems").await;
}

#[tokio::test]
async fn llmgateway_1763_exclusive_minimum_and_const() {
    reaches_gemini(&json!({"type": "integer", "exclusiveMinimum": 0}), "exclusiveMinimum").await;
    reaches_gemini(&json!({"const": "circle"}), "const").await;
}
