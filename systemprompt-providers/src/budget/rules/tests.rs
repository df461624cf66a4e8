use proptest::prelude::*;

use super::*;

fn rule(name: &str, key: &[BudgetDimension]) -> BudgetRule {
    BudgetRule {
        name: name.to_owned(),
        key: key.to_vec(),
        limit_microdollars: Some(100),
        limit_tokens: None,
        window_s: 86_400,
    }
}

fn caps(rules: &[BudgetRule], (tenant, user, key, model): (&str, &str, &str, &str)) -> Vec<String> {
    let subject = BudgetSubject {
        tenant: &TenantId::parse(tenant).unwrap(),
        user: &UserId::parse(user).unwrap(),
        key: &TokenId::parse(key).unwrap(),
        model,
    };
    let caps = BudgetRules::compile(rules).unwrap().caps(&subject);
    caps.iter().map(|cap| cap.key.as_str().to_owned()).collect()
}

#[test]
fn each_rule_has_one_cap_for_each_value_of_its_key() {
    use BudgetDimension::{Key, Model, Tenant, User};
    let rules = [
        rule("all", &[]),
        rule("tenant", &[Tenant]),
        rule("user", &[User]),
        rule("key", &[Key]),
        rule("model", &[Model]),
        rule("each", &[Model, Key, User, Tenant]),
    ];
    assert_eq!(
        caps(&rules, ("acme", "ann", "k1", "gpt-5.5")),
        [
            "3:all",
            "6:tenant tenant=4:acme",
            "4:user tenant=4:acme user=3:ann",
            "3:key tenant=4:acme key=2:k1",
            "5:model model=7:gpt-5.5",
            "4:each tenant=4:acme user=3:ann key=2:k1 model=7:gpt-5.5",
        ]
    );
}

#[test]
fn users_of_the_same_name_in_other_tenants_are_others() {
    let rules = [rule("daily", &[BudgetDimension::User])];
    assert_ne!(caps(&rules, ("acme", "ann", "k", "m")), caps(&rules, ("evil", "ann", "k", "m")));
}

#[test]
fn hostile_models_make_keys_of_their_own() {
    let rules = [rule("daily", &[BudgetDimension::User, BudgetDimension::Model])];
    let long = "m".repeat(100_000);
    let models =
        ["", "m", "m\0", "m\n", "a model=1:b", " model=", "'; DROP TABLE x; --", "é", &long];
    let keys: std::collections::BTreeSet<_> =
        models.iter().flat_map(|model| caps(&rules, ("acme", "ann", "k", model))).collect();
    assert_eq!(keys.len(), models.len());
    assert!(keys.iter().all(|key| key.len() <= 200), "{keys:?}");
}

#[test]
fn what_is_wrong_is_named() {
    let problem = |change: fn(&mut BudgetRule)| {
        let mut bad = rule("bad", &[BudgetDimension::Tenant]);
        change(&mut bad);
        let error = BudgetRules::compile(&[rule("good", &[]), bad]).unwrap_err();
        assert_eq!(error.position, 1);
        error.to_string()
    };
    let most = "9223372036854775807";
    assert_eq!(
        problem(|rule| rule.name.clear()),
        "budget 2 (``): `name` must be 1 to 64 bytes without control characters"
    );
    assert!(problem(|rule| rule.name = "x".repeat(65)).contains("`name` must be 1 to 64 bytes"));
    assert!(
        problem(|rule| rule.name = "a\nb".to_owned()).starts_with(r"budget 2 (`a\nb`): `name`")
    );
    assert_eq!(
        problem(|rule| rule.name = "good".to_owned()),
        "budget 2 (`good`): `name` is that of another budget"
    );
    assert_eq!(
        problem(|rule| rule.key.push(BudgetDimension::Tenant)),
        "budget 2 (`bad`): `key` names something twice"
    );
    assert_eq!(
        problem(|rule| rule.limit_microdollars = None),
        "budget 2 (`bad`): `limit_microdollars` or `limit_tokens` is missing"
    );
    let large = |field| format!("budget 2 (`bad`): `{field}` must be 0 to {most}");
    assert_eq!(problem(|rule| rule.limit_tokens = Some(1 << 63)), large("limit_tokens"));
    assert_eq!(
        problem(|rule| rule.limit_microdollars = Some(u64::MAX)),
        large("limit_microdollars")
    );
    let window = "budget 2 (`bad`): `window_s` must be 1 to 4294967295";
    assert_eq!(problem(|rule| rule.window_s = 0), window);
    assert_eq!(problem(|rule| rule.window_s = 1 << 32), window);
}

#[test]
fn rules_are_read_from_a_plain_list() {
    let text =
        r#"[{"name": "daily", "key": ["tenant", "model"], "limit_tokens": 5, "window_s": 60}]"#;
    let rules: Vec<BudgetRule> = serde_json::from_str(text).unwrap();
    assert_eq!(rules[0].key, [BudgetDimension::Tenant, BudgetDimension::Model]);
    assert_eq!(
        serde_json::from_str::<Vec<BudgetRule>>(&serde_json::to_string(&rules).unwrap()).unwrap(),
        rules
    );
    let error = serde_json::from_str::<BudgetRule>(r#"{"name": "x", "window": 60}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `window`"), "{error}");
    assert!(!BudgetRules::compile(&rules).unwrap().is_empty());
    assert!(BudgetRules::default().is_empty());
}

proptest! {
    #[test]
    fn different_values_make_different_keys(
        one in proptest::array::uniform3("[a-z0-9:= \0]{0,12}"),
        other in proptest::array::uniform3("[a-z0-9:= \0]{0,12}"),
        with in proptest::array::uniform2(any::<bool>()),
    ) {
        let key = |[name, user, model]: &[String; 3], with: bool| {
            BudgetKey::new(&key_text(name, [
                ("user", with.then_some(user.as_str())),
                ("model", Some(model.as_str())),
            ]))
        };
        let shown = |[name, user, model]: &[String; 3], with: bool| {
            (name.clone(), with.then(|| user.clone()), model.clone())
        };
        prop_assert_eq!(
            key(&one, with[0]) == key(&other, with[1]),
            shown(&one, with[0]) == shown(&other, with[1])
        );
    }
}
