"""What people write for people: documents about secrets, letters, translations, tables."""

LETTERS = [
    "the secret: keep it simple", "Password: at least 12 characters, one digit and one symbol.", "What is the secret of a good soup? Patience2.",
    "My secret is that I never plan.", "The key is under the mat, as always.", "Her secret recipe: 250g flour, 100g sugar, 3 eggs.",
    "token of appreciation: a box of tea", "The bearer of this letter may enter by gate B12.", "Basic training starts on Monday2 at 9:00 in room A4.",
    "I forgot my password again, could you reset it? My user name is {w}.", "The password for the meeting will be sent separately.",
    "Please do not put passwords into tickets; use the vault and send a link.", "Secret Santa: draw a name before Friday, budget 15 euros.",
    "The pass is closed from November; take route B4711 instead.", "Key figures Q3: revenue 12.4M, costs 8.1M, margin 34.7%.",
    "Key dates: 2026-11-26 kick-off, 2026-12-04 review, 2027-01-15 launch.", "API key rotation is due on 2026-12-01; owners see the list below.",
    "The auth service was down from 10:15 to 10:42 UTC (INC-{d}).", "We agreed: access token lifetime 15m, refresh token 30d, signing key 90d.",
    "Your one-time code was sent to +49 30 {d} and expires in 10 minutes.", "Order {d}-{d}, tracking number 1Z{d}{d}, delivered to locker 12.",
    "Flight LH{d}, booking on the app, seat 23A, gate K12.", "IBAN DE00 1234 5678 9012 3456 78, BIC EXAMPLEXXX, reference RE-{d}.",
    "Best regards, {W} {W}\nHead of {w}, Example Ltd, 12 {W} Street, EX4 2AB", "Room 4.12, dial-in +44 20 7946 0{d}, conference id {d} {d}.",
]

DOCUMENT = '''## @W@ of the @w2@

Every request carries a token in its `Authorization` header:

```http
GET /v1/@k@ HTTP/1.1
Authorization: Bearer <access token>
X-Api-Key: $@U@_API_KEY
```

1. Create an API key under *Settings > Developers > API keys*. It starts with `@e2@_` and is shown once.
2. Export it: `export @U@_API_KEY=<your key>`; on Windows `set @U@_API_KEY=%YOUR_KEY%`.
3. Call the API:

```sh
curl -u "$USER:$PASSWORD" "https://api.example.com/v1/@k@?limit=@n2@"
curl -H "Authorization: Bearer $TOKEN" https://api.example.com/v1/@k@/@uuid@
```

| variable | meaning | default |
|---|---|---|
| `@U@_API_KEY` | the key, e.g. `@e2@_xxxxxxxxxxxxxxxx` | none |
| `@U@_CLIENT_SECRET` | secret of the OAuth client | none |
| `@U@_PASSWORD_FILE` | file with the password | `/run/secrets/@e@_password` |
| `@U@_TOKEN_TTL` | life of a token | `15m` |

The configuration file takes references only:

```yaml
@e@:
  api_key: ${@U@_API_KEY}
  client_secret: secret://@k@/client-secret-v2
  password: "{{ vault_@e@_password }}"
  token: <paste your token here>
```

A wrong token gives `401` with `{"error": "invalid_token", "request_id": "@uuid@"}`. Tokens are hashed with SHA-256
before they are stored, passwords with Argon2id (`m=19456,t=2,p=1`). See [RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1),
[the secret store](../guides/secrets.md#rotation-2) and commit @h40@.

'''

PHRASES = {
    "ru": ["Введите пароль ещё раз", "Пароль должен содержать не менее 12 символов и 1 цифру", "Неверный токен доступа", "Секретный ключ успешно обновлён",
           "Срок действия токена истёк 26.11.2026", "Ключ API не найден", "Секрет прост: меньше слов", "Забыли пароль?", "Отчёт за {d} год готов к просмотру"],
    "el": ["Εισαγάγετε ξανά τον κωδικό πρόσβασης", "Ο κωδικός πρέπει να έχει τουλάχιστον 12 χαρακτήρες", "Μη έγκυρο διακριτικό", "Το μυστικό κλειδί ανανεώθηκε",
           "Το κλειδί API δεν βρέθηκε", "Η συνεδρία έληξε στις 10:{d}", "Ξεχάσατε τον κωδικό;"],
    "zh": ["请再次输入密码", "密码必须至少包含12个字符和1个数字", "访问令牌无效", "密钥已更新", "令牌已于2026年11月26日过期", "找不到 API 密钥", "秘密很简单：少说多做", "忘记密码？", "订单 {d} 已发货"],
    "ar": ["أدخل كلمة المرور مرة أخرى", "يجب أن تحتوي كلمة المرور على 12 حرفًا على الأقل", "رمز الوصول غير صالح", "تم تحديث المفتاح السري", "لم يتم العثور على مفتاح API", "انتهت الجلسة في 10:{d}", "هل نسيت كلمة المرور؟"],
    "de": ["Bitte geben Sie Ihr Passwort erneut ein", "Das Passwort muss mindestens 12 Zeichen und 1 Ziffer enthalten", "Ungültiges Zugriffstoken", "Der geheime Schlüssel wurde erneuert",
           "Das Geheimnis: einfach bleiben", "API-Schlüssel nicht gefunden", "Passwort vergessen?", "Vorgang {d} abgeschlossen"],
    "hi": ["कृपया अपना पासवर्ड फिर से दर्ज करें", "पासवर्ड में कम से कम 12 अक्षर और 1 अंक होना चाहिए", "अमान्य एक्सेस टोकन", "गुप्त कुंजी अपडेट की गई", "API कुंजी नहीं मिली", "सत्र 10:{d} पर समाप्त हुआ", "पासवर्ड भूल गए?"],
}
KEYS = ["password.label", "password.rule", "token.invalid", "secret.rotated", "token.expired", "api_key.missing", "secret.motto", "password.forgot", "report.ready"]


def write_prose(draw):
    """File names and texts."""
    yield "guide.md", "# Keys, tokens and passwords\n\n" + "".join(draw.fill(DOCUMENT) for _ in range(16))
    yield "letters.txt", "".join(letter(draw) for _ in range(60))
    yield "chat.jsonl", "".join(f'{{"role": "user", "content": "{line(draw)}"}}\n'.replace("\nHead", "\\nHead") for _ in range(150))
    yield "people.csv", "id,name,email,password_changed_at,token_count,note\n" + "".join(
        f'{draw.uuid()},{draw.word().capitalize()} {draw.word().capitalize()},{draw.word()}@example.com,{draw.instant()},{draw.randint(0, 99)},"{line(draw)}"\n'.replace("\nHead", " Head")
        for _ in range(150))
    yield "book.txt", "".join(f"Chapter {n}. {draw.words(3, 6).title()}\n\n" + " ".join(draw.sentence() for _ in range(40)) + "\n\n" for n in range(1, 25))
    for language, phrases in PHRASES.items():
        yield f"messages_{language}.json", translation(draw, phrases)
        yield f"messages_{language}.po", "".join(
            f'#: src/{draw.word()}/login.rs:{draw.randint(1, 900)}\nmsgid "{draw.sentence()}"\nmsgstr "{phrase(draw, phrases)}"\n\n' for _ in range(40))


def line(draw):
    text = draw.choice(LETTERS)
    return text.replace("{w}", draw.word()).replace("{W}", draw.word().capitalize()).replace("{d}", draw.digits(4))


def letter(draw):
    body = "\n".join(draw.choice([line(draw), draw.sentence(), draw.sentence() + " " + line(draw)]) for _ in range(8))
    return f"From: {draw.word()}@example.com\nDate: {draw.instant()}\nSubject: {line(draw)}\n\nHello {draw.word().capitalize()},\n\n{body}\n\n"


def phrase(draw, phrases):
    return draw.choice(phrases).replace("{d}", draw.digits(2))


def translation(draw, phrases):
    rows = ",\n".join(f'  "{draw.word()}.{draw.choice(KEYS)}{n}": "{phrase(draw, phrases)}"' for n in range(90))
    return "{\n" + rows + ",\n" + ",\n".join(f'  "{key.split(".")[0]}": "{phrase(draw, phrases)}"' for key in ["password.x", "token.x", "secret.x", "apiKey.x"]) + "\n}\n"
