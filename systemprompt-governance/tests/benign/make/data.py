"""What programs write for programs: lock files, identifiers, pictures, logs, manifests."""

import base64
import json
import struct
import zlib


def write_data(draw):
    """File names and texts."""
    yield "Cargo.lock", "".join(cargo(draw) for _ in range(120))
    yield "package-lock.json", json.dumps(npm(draw), indent=2) + "\n"
    yield "yarn.lock", "# yarn lockfile v1\n\n" + "".join(yarn(draw) for _ in range(100))
    yield "pnpm-lock.yaml", "lockfileVersion: '9.0'\n\npackages:\n\n" + "".join(pnpm(draw) for _ in range(100))
    yield "poetry.lock", "".join(poetry(draw) for _ in range(50))
    yield "requirements.txt", "".join(requirement(draw) for _ in range(60))
    yield "go.sum", "".join(go_sum(draw) for _ in range(120))
    yield "Gemfile.lock", gemfile(draw)
    yield "composer.lock", json.dumps(composer(draw), indent=4) + "\n"
    yield "flake.lock", json.dumps(flake(draw), indent=2) + "\n"
    yield "uuids.txt", "".join(draw.uuid() + "\n" for _ in range(600))
    yield "commits.txt", "".join(commit(draw) for _ in range(300))
    yield "checksums.txt", checksums(draw)
    yield "ids.csv", ids(draw)
    yield "pictures.html", pictures(draw)
    yield "attachments.eml", attachments(draw)
    yield "bundle.min.js", minified(draw)
    yield "bundle.min.css", stylesheet(draw)
    yield "source.map", json.dumps(source_map(draw)) + "\n"
    yield "messages.textproto", "".join(textproto(draw) for _ in range(60))
    yield "service.proto", proto(draw)
    yield "nginx.log", "".join(nginx(draw) for _ in range(300))
    yield "journal.log", "".join(journal(draw) for _ in range(250))
    yield "service.jsonl", "".join(json.dumps(event(draw)) + "\n" for _ in range(200))
    yield "cluster.log", "".join(cluster(draw) for _ in range(200))
    yield "java.log", "".join(stack(draw) for _ in range(25))
    yield "openapi.json", json.dumps(openapi(draw), indent=2) + "\n"
    yield "schema.json", json.dumps(schema(draw), indent=2) + "\n"
    yield "terraform.tf", "".join(draw.fill(TERRAFORM) for _ in range(12))
    yield "manifests.yaml", "".join(draw.fill(KUBERNETES) for _ in range(15))
    yield "compose.yaml", "services:\n" + "".join(draw.fill(COMPOSE) for _ in range(12))
    yield "workflow.yaml", "".join(draw.fill(WORKFLOW) for _ in range(10))
    yield "application.properties", "".join(draw.fill(PROPERTIES) for _ in range(10))
    yield "env.example", "".join(draw.fill(ENV) for _ in range(10))
    yield "certificates.pem", "".join(certificate(draw) for _ in range(6))
    yield "known_hosts", "".join(known_host(draw) for _ in range(40))
    yield "change.diff", "".join(diff(draw) for _ in range(30))
    yield "notebook.ipynb", json.dumps(notebook(draw), indent=1) + "\n"
    yield "dump.sql", "".join(row(draw) for _ in range(150))
    yield "chain.json", json.dumps(chain(draw), indent=1) + "\n"
    yield "tool_calls.jsonl", "".join(json.dumps(call(draw)) + "\n" for _ in range(200))


def sha512(draw):
    return "sha512-" + draw.base64(64)


def cargo(draw):
    return (f'[[package]]\nname = "{draw.package().replace("@types/", "")}"\nversion = "{draw.version()}"\n'
            f'source = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "{draw.hex(64)}"\n'
            f'dependencies = [\n "{draw.word()}",\n "{draw.word()}-keys {draw.version()}",\n]\n\n')


def npm(draw):
    packages = {}
    for _ in range(120):
        name, version = draw.package(), draw.version()
        packages[f"node_modules/{name}"] = {
            "version": version, "resolved": f"https://registry.npmjs.org/{name}/-/{name.split('/')[-1]}-{version}.tgz",
            "integrity": sha512(draw), "license": "MIT", "engines": {"node": ">=18"},
        }
    return {"name": "shop", "lockfileVersion": 3, "requires": True, "packages": packages}


def yarn(draw):
    name, version = draw.package(), draw.version()
    return (f'"{name}@^{version}":\n  version "{version}"\n  resolved "https://registry.yarnpkg.com/{name}/-/{name}-'
            f'{version}.tgz#{draw.hex(40)}"\n  integrity {sha512(draw)}\n\n')


def pnpm(draw):
    return f"  '{draw.package()}@{draw.version()}':\n    resolution: {{integrity: {sha512(draw)}}}\n    engines: {{node: '>=14'}}\n\n"


def poetry(draw):
    name, version = draw.package().replace("@types/", ""), draw.version()
    files = "".join(f'    {{file = "{name}-{version}-{tag}", hash = "sha256:{draw.hex(64)}"}},\n'
                    for tag in ("py3-none-any.whl", "cp312-cp312-manylinux_2_17_x86_64.whl", "py3.tar.gz"))
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = false\nfiles = [\n{files}]\n\n'


def requirement(draw):
    name = draw.package().replace("@types/", "")
    return f"{name}=={draw.version()} \\\n    --hash=sha256:{draw.hex(64)} \\\n    --hash=sha256:{draw.hex(64)}\n"


def go_sum(draw):
    module, version = f"github.com/{draw.word()}/{draw.package().replace('@types/', '')}", draw.version()
    return f"{module} v{version} h1:{draw.base64(32)}\n{module} v{version}/go.mod h1:{draw.base64(32)}\n"


def gemfile(draw):
    lines = "".join(f"    {draw.word()}_{draw.word()} ({draw.version()})\n      {draw.word()} (>= {draw.version()})\n" for _ in range(60))
    sums = "".join(f"  {draw.word()} ({draw.version()}) sha256={draw.hex(64)}\n" for _ in range(60))
    return f"GEM\n  remote: https://rubygems.org/\n  specs:\n{lines}\nCHECKSUMS\n{sums}\nBUNDLED WITH\n   2.5.11\n"


def composer(draw):
    def package():
        name = f"{draw.word()}/{draw.word()}-auth"
        return {"name": name, "version": draw.version(), "dist": {
            "type": "zip", "url": f"https://api.github.com/repos/{name}/zipball/{draw.hex(40)}", "reference": draw.hex(40), "shasum": ""}}
    return {"content-hash": draw.hex(32), "packages": [package() for _ in range(40)], "prefer-stable": True}


def flake(draw):
    def node():
        return {"locked": {"lastModified": draw.randint(1_600_000_000, 1_800_000_000), "narHash": "sha256-" + draw.base64(32),
                           "owner": draw.word(), "repo": draw.word(), "rev": draw.hex(40), "type": "github"}}
    return {"nodes": {draw.word(): node() for _ in range(30)}, "root": "root", "version": 7}


def commit(draw):
    return draw.choice([
        f"{draw.hex(40)} {draw.sentence()}\n", f"commit {draw.hex(40)}\nMerge: {draw.hex(7)} {draw.hex(7)}\n",
        f"{draw.hex(7)} Rotate the {draw.word()} key\n", f"Revert \"{draw.sentence()}\"\n\nThis reverts commit {draw.hex(40)}.\n",
        f"index {draw.hex(7)}..{draw.hex(7)} 100644\n", f"pick {draw.hex(10)} Read the token from the environment\n",
        f"{draw.hex(40)}\trefs/heads/{draw.word()}-token-{draw.randint(1, 9)}\n",
        f"Signed-off-by: {draw.word().capitalize()} {draw.word().capitalize()} <{draw.word()}@example.com>\n",
    ])


def checksums(draw):
    text = ""
    for _ in range(60):
        name = f"{draw.word()}-{draw.version()}-linux-{draw.choice(['amd64', 'arm64'])}.tar.gz"
        text += draw.choice([
            f"{draw.hex(64)}  {name}\n", f"SHA256 ({name}) = {draw.hex(64)}\n", f"{draw.hex(32)} *{name}\n", f"{draw.hex(128)}  {name}\n",
            f"sha1: {draw.hex(40)}\nmd5: {draw.hex(32)}\n", f"sha256-{draw.base64(32)}\n", f"etag: \"{draw.hex(32)}-{draw.randint(1, 99)}\"\n",
            f"digest: sha256:{draw.hex(64)}\n", f"blake3: {draw.hex(64)}\n", f"<script src=\"/{draw.word()}.{draw.hex(8)}.js\" "
            f"integrity=\"sha384-{draw.base64(48)}\" crossorigin=\"anonymous\"></script>\n",
        ])
    return text


def ids(draw):
    rows = ["id,public_id,trace_id,token_id,key_fingerprint,etag,object_key,updated_at"]
    for n in range(200):
        rows.append(f"{n},{draw.letters(12)},{draw.hex(32)},tok-{draw.digits(8)},SHA256:{draw.base64(32)[:43]},W/\"{draw.hex(40)}\","
                    f"uploads/2026/{draw.hex(2)}/{draw.hex(32)}.jpg,{draw.instant()}")
    return "\n".join(rows) + "\n"


def png(draw, size):
    """A picture of noise, so that its base64 has every letter."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + draw.randbytes(size * 3) for _ in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pdf(draw, size):
    stream = zlib.compress(draw.randbytes(size))
    return (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Length " + str(len(stream)).encode() + b" /Filter /FlateDecode >>\nstream\n"
            + stream + b"\nendstream\nendobj\ntrailer\n<< /Size 2 /Root 1 0 R >>\n%%EOF\n")


def pictures(draw):
    text = "<!doctype html>\n"
    kinds = [("image/png", lambda: png(draw, draw.randint(8, 60))), ("image/jpeg", lambda: b"\xff\xd8\xff\xe0\0\x10JFIF\0" + draw.randbytes(6000)),
             ("image/gif", lambda: b"GIF89a" + draw.randbytes(900)), ("image/webp", lambda: b"RIFF" + draw.randbytes(4) + b"WEBPVP8 " + draw.randbytes(3000)),
             ("application/pdf", lambda: pdf(draw, 9000)), ("font/woff2", lambda: b"wOF2\0\1\0\0" + draw.randbytes(9000)),
             ("application/wasm", lambda: b"\0asm\1\0\0\0" + bytes(draw.choice([0, 0, 0, 16, 65, draw.randint(0, 255)]) for _ in range(9000)))]
    for _ in range(4):
        for kind, make in kinds:
            data = base64.b64encode(make()).decode()
            text += draw.choice([
                f'<img alt="{draw.word()}" src="data:{kind};base64,{data}">\n', f"@font-face {{ src: url(data:{kind};base64,{data}) }}\n",
                f'<object type="{kind}" data="data:{kind};base64,{data}"></object>\n'])
    return text


def attachments(draw):
    text = ""
    for _ in range(8):
        data = base64.b64encode(draw.choice([png(draw, 40), pdf(draw, 7000), b"PK\3\4" + draw.randbytes(7000)])).decode()
        lines = "\n".join(data[at:at + 76] for at in range(0, len(data), 76))
        text += (f"From: {draw.word()}@example.com\nTo: {draw.word()}@example.org\nSubject: {draw.sentence()}\nMessage-ID: <{draw.hex(20)}."
                 f"{draw.digits(10)}@mail.example.com>\nDKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=mail2; h=from:to; bh={draw.base64(32)};\n"
                 f" b={draw.base64(96)}\nContent-Type: application/octet-stream; name=\"{draw.word()}.bin\"\nContent-Transfer-Encoding: base64\n\n{lines}\n\n")
    return text


def minified(draw):
    text = '!function(e,t){"object"==typeof exports&&"undefined"!=typeof module?t(exports):t((e=e||self).shop={})}(this,function(e){"use strict";'
    for n in range(1200):
        name = draw.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$_") + draw.choice("abcdefghijklmnopqrstuvwxyz0123456789")
        word, number = draw.word(), draw.randint(1, 9999)
        text += draw.choice([
            f"function {name}(e){{return e&&e.token?e.token.slice({number % 40}):null}}", f"var {name}={number},{name}2=[{number},{number + 1},0x{draw.hex(6)}];",
            f'{name}.password=function(t){{return this.{word}({{password:t,token:e.token||""}})}};', f'e.{word}Key="{word}-{number}";',
            f'if("{word}"===t.key&&!t.secret)return void n({number},{{type:"password",autoComplete:"off"}});', f"const {name}=t.apiKey??r.env.API_KEY,{name}3=i({number});",
            f'{name}={{authToken:void 0,secretKey:null,apiKey:e.apiKey,passwordHash:a(e.password)}};', f'n.d(t,"{name}",function(){{return {word}{number}}});',
            f'case {number}:return s.next={number % 90},fetch("/api/v1/{word}?token="+encodeURIComponent(o.token));', f'{number}:function(e,t,n){{e.exports=n.p+"static/{word}.{draw.hex(20)}.svg"}},'.replace(",", ";", 0),
            f'throw Error("Minified error #{number}; visit https://example.com/e/{number}?args[]="+e);', f'p=/^(?:token|secret|password)[-_]?[a-z0-9]{{{number % 40 + 1}}}$/i;',
        ])
    return text + "});\n//# sourceMappingURL=bundle.min.js.map\n"


def stylesheet(draw):
    return "".join(
        f".{draw.word()}-{draw.word()}{draw.randint(1, 9)}_{draw.letters(5)}{{margin:{draw.randint(0, 99)}px;color:#{draw.hex(6)};"
        f"background:url(/assets/{draw.word()}.{draw.hex(20)}.png);--token-{draw.word()}-{draw.randint(100, 900)}:#{draw.hex(8)}}}"
        f"input[type=password]:focus,.password-field__input--v2{{outline:{draw.randint(1, 4)}px solid var(--key-{draw.word()}2)}}"
        for _ in range(250)) + "\n"


def source_map(draw):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    segment = lambda: "".join(draw.choice(alphabet[:32]) if draw.random() < 0.7 else draw.choice(alphabet) for _ in range(draw.randint(4, 6)))
    mappings = ";".join(",".join(segment() for _ in range(draw.randint(1, 20))) for _ in range(900))
    return {"version": 3, "sources": [f"webpack://shop/./src/{draw.word()}/{draw.word()}Token.ts" for _ in range(60)],
            "names": [f"{draw.word()}{draw.word().capitalize()}Key" for _ in range(120)], "mappings": mappings}


def textproto(draw):
    return (f'resource {{\n  name: "projects/{draw.word()}-{draw.digits(6)}/secrets/{draw.word()}-token/versions/{draw.randint(1, 40)}"\n'
            f"  id: {draw.digits(19)}\n  fingerprint: \"{draw.base64(8)}\"\n  create_time {{ seconds: {draw.digits(10)} nanos: {draw.digits(9)} }}\n"
            f'  key {{ type: ED25519 key_id: "{draw.uuid()}" public_key: "\\x{draw.hex(2)}\\x{draw.hex(2)}\\{draw.randint(100, 377)}\\n\\"" }}\n'
            f"  token_count: {draw.randint(1, 9000)} etag: \"{draw.hex(16)}\" secret_state: ENABLED password_policy: PASSWORD_POLICY_STRICT_V2\n}}\n")


def proto(draw):
    text = 'syntax = "proto3";\n\npackage example.auth.v2;\n\nimport "google/protobuf/timestamp.proto";\n\n'
    for _ in range(30):
        text += draw.fill("message @E@Request {\n  string @e@_id = 1;\n  string page_token = 2;\n  int32 page_size = 3 [(validate.rules).int32.lte = @n4@];\n"
                          "  bytes secret = 4 [debug_redact = true];\n  optional string password = 5;\n  map<string, string> key_labels = 6;\n}\n\n")
    return text


def nginx(draw):
    path = draw.choice([f"/static/js/{draw.word()}.{draw.hex(20)}.js", f"/api/v1/{draw.word()}/{draw.uuid()}", f"/login?next=/{draw.word()}/{draw.digits(4)}",
                        f"/{draw.word()}?page_token={draw.digits(4)}&sort=-created", f"/oauth/token", f"/reset-password/confirm", f"/.env", f"/keys/{draw.digits(6)}.json"])
    agent = draw.choice(["Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0", "curl/8.9.1", "kube-probe/1.34", "Go-http-client/2.0"])
    return f'{draw.address()} - - [{draw.randint(1, 28):02}/Nov/2026:10:{draw.randint(10, 59)}:{draw.randint(10, 59)} +0000] "GET {path} HTTP/1.1" 200 {draw.digits(5)} "https://www.example.com/{draw.word()}" "{agent}" rt=0.{draw.digits(3)} rid={draw.hex(32)}\n'


def journal(draw):
    unit, pid = draw.choice(["sshd", "sudo", "systemd", "kernel", "vaultd", "NetworkManager", "cron"]), draw.digits(5)
    message = draw.choice([
        f"Accepted publickey for deploy from {draw.address()} port {draw.digits(5)} ssh2: ED25519 SHA256:{draw.base64(32)[:43]}",
        f"Failed password for invalid user admin from {draw.address()} port {draw.digits(5)} ssh2",
        f"pam_unix(sudo:auth): authentication failure; logname=deploy uid=1000 euid=0 tty=/dev/pts/{draw.randint(0, 9)}",
        f"Started {draw.word()}-token-refresh.service - Refresh the token of {draw.word()}.", f"audit: type=1400 apparmor=\"ALLOWED\" profile=\"{draw.word()}2\" comm=\"{draw.word()}\"",
        f"device-mapper: crypt: key for {draw.uuid()} loaded", f"secret {draw.word()}/{draw.word()}-v2 renewed, lease {draw.uuid()} ttl 3600s",
        f"<info>  [{draw.digits(10)}.{draw.digits(4)}] agent: request password for connection {draw.uuid()}: no secrets", f"(root) CMD (/usr/local/bin/rotate-keys --all 2>&1)"])
    return f"Nov {draw.randint(1, 28)} 10:{draw.randint(10, 59)}:{draw.randint(10, 59)} host{draw.randint(1, 40)} {unit}[{pid}]: {message}\n"


def event(draw):
    return {"ts": draw.instant(), "level": draw.choice(["info", "warn", "debug"]), "msg": draw.choice([
        "token refreshed", "password changed", "wrong password", "secret not found", "key rotated", draw.sentence()]),
        "traceparent": f"00-{draw.hex(32)}-{draw.hex(16)}-01", "trace_id": draw.hex(32), "span_id": draw.hex(16), "request_id": draw.uuid(),
        "user_id": draw.digits(8), "session": draw.hex(8), "key_id": f"key-{draw.randint(1, 99)}", "token_type": "refresh", "secret_name": f"{draw.word()}-credentials-v2",
        "usage": {"prompt_tokens": draw.randint(1, 9000), "completion_tokens": draw.randint(1, 900)}, "next_page_token": draw.letters(24), "duration_ms": draw.randint(1, 999)}


def cluster(draw):
    pod = f"{draw.word()}-{draw.hex(10)}-{draw.letters(5).lower()}"
    return draw.choice([
        f"I1126 10:15:{draw.randint(10, 59)}.{draw.digits(6)}       1 reconciler.go:{draw.digits(3)}] \"operationExecutor.MountVolume started for volume \\\"kube-api-access-{draw.letters(5).lower()}\\\" (UniqueName: \\\"kubernetes.io/projected/{draw.uuid()}-kube-api-access\\\") pod \\\"{pod}\\\"\"\n",
        f"Warning  FailedMount  12s  kubelet  MountVolume.SetUp failed for volume \"token\" : secret \"{draw.word()}-token-{draw.letters(5).lower()}\" not found\n",
        f"Normal   Pulled  3s  kubelet  Successfully pulled image \"registry.example.com/{draw.word()}@sha256:{draw.hex(64)}\" in {draw.digits(3)}ms\n",
        f"{pod}   1/1   Running   0   {draw.randint(1, 90)}m   {draw.address()}   ip-10-0-{draw.randint(1, 99)}-{draw.randint(1, 99)}.eu-west-1.compute.internal\n",
        f"E1126 10:15:{draw.randint(10, 59)}.{draw.digits(6)}       1 authentication.go:{draw.digits(2)}] \"Unable to authenticate the request\" err=\"[invalid bearer token, token lookup failed]\"\n",
        f"{draw.word()}-tls-cert   kubernetes.io/tls   2   {draw.randint(1, 99)}d\nsh.helm.release.v1.{draw.word()}.v{draw.randint(1, 40)}   helm.sh/release.v1   1   {draw.randint(1, 99)}d\n"])


def stack(draw):
    frames = "".join(f"\tat com.example.{draw.word()}.{draw.word().capitalize()}TokenFilter.doFilter{draw.choice(['', 'Internal'])}({draw.word().capitalize()}TokenFilter.java:{draw.randint(10, 999)})\n" for _ in range(6))
    return (f"{draw.instant()} ERROR [http-nio-8080-exec-{draw.randint(1, 20)}] c.e.a.{draw.word().capitalize()}Controller : Bad credentials\n"
            f"org.springframework.security.authentication.BadCredentialsException: Bad credentials for token id {draw.uuid()}\n{frames}"
            f"\tat jdk.internal.reflect.GeneratedMethodAccessor{draw.randint(10, 999)}.invoke(Unknown Source)\n\tat com.example.App$$SpringCGLIB$$0@{draw.hex(8)}\n"
            f"Caused by: java.security.InvalidKeyException: Illegal key size: {draw.randint(1, 99)}\n\t... {draw.randint(10, 99)} more\n")


def openapi(draw):
    paths = {}
    for _ in range(30):
        paths[draw.fill("/v1/@k@/{id}/secrets")] = {"post": {
            "operationId": draw.fill("create@E@Secret"), "security": [{"bearerAuth": []}, {"apiKey": []}],
            "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["password", "token"], "properties": {
                "password": {"type": "string", "format": "password", "minLength": 12, "example": "********"},
                "token": {"type": "string", "description": "The token, as the issuer gave it.", "example": "<token>"},
                "apiKey": {"type": "string", "example": "your-api-key", "pattern": "^[a-z]{3}_[A-Za-z0-9]{40}$"},
                "secretName": {"type": "string", "example": draw.fill("@k@-credentials-v2")}, "id": {"type": "string", "format": "uuid", "example": draw.uuid()}}}}}},
            "responses": {"401": {"description": "The token is missing or has expired."}, "201": {"headers": {"ETag": {"example": f"\"{draw.hex(32)}\""}}}}}}
    return {"openapi": "3.1.0", "info": {"title": "Shop", "version": "2.4.1"}, "paths": paths, "components": {"securitySchemes": {
        "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "oauth2": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://auth.example.com/oauth2/v1/token", "scopes": {}}}}}}}


def schema(draw):
    def field(name):
        return {"type": "string", "title": name.replace("_", " ").capitalize(), "description": draw.sentence(), "writeOnly": True, "maxLength": draw.randint(10, 900)}
    names = ["password", "client_secret", "api_key", "access_token", "private_key", "passphrase", "webhook_secret", "session_token", "secret_key_base"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/schemas/credentials-v2.json", "$defs": {
        f"{draw.word()}_{n}": {"type": "object", "required": names[:n % 9 + 1], "properties": {name: field(name) for name in names},
                               "default": {"password": None, "api_key": "", "client_secret": "${CLIENT_SECRET}"}} for n in range(12)}}


TERRAFORM = '''resource "aws_secretsmanager_secret" "@e@" {
  name                    = "prod/@k@/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/@uuid@"
  recovery_window_in_days = @n1@
}

resource "random_password" "@e@" {
  length           = @n2@
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "@e@" {
  identifier     = "@k@-@n2@"
  username       = var.db_username
  password       = random_password.@e@.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "@e@_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the @w2@; set TF_VAR_@e@_api_token"
}

data "vault_generic_secret" "@e@" { path = "secret/@k@/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.@e@.data["api_token"] }

output "@e@_secret_arn" { value = aws_secretsmanager_secret.@e@.arn }

'''

KUBERNETES = '''---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: @k@
  uid: @uuid@
  annotations:
    checksum/secret: @h64@
    deployment.kubernetes.io/revision: "@n2@"
spec:
  template:
    spec:
      serviceAccountName: @k@-sa
      automountServiceAccountToken: false
      imagePullSecrets:
        - name: registry-credentials-v2
      containers:
        - name: @k@
          image: registry.example.com/team/@k@@sha256:@h64@
          env:
            - name: DB_PASSWORD
              valueFrom:
                secretKeyRef: { name: @k@-db-v2, key: password }
            - name: API_TOKEN_FILE
              value: /var/run/secrets/tokens/api-token2
            - name: SESSION_SECRET
              value: "$(SESSION_SECRET_FROM_VAULT)"
          volumeMounts:
            - { name: token, mountPath: /var/run/secrets/tokens, readOnly: true }
      volumes:
        - name: token
          projected: { sources: [{ serviceAccountToken: { path: api-token2, expirationSeconds: @n4@ } }] }
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: @k@-db-v2 }
spec:
  refreshInterval: 1h
  secretStoreRef: { name: vault-backend2, kind: ClusterSecretStore }
  data:
    - secretKey: password
      remoteRef: { key: prod/@k@/database2, property: password }
'''

COMPOSE = '''  @k@:
    image: registry.example.com/@k@:@n1@.@n2@-alpine3
    environment:
      POSTGRES_PASSWORD_FILE: /run/secrets/db_password2
      API_KEY: ${@U@_API_KEY:?set @U@_API_KEY}
      SECRET_KEY_BASE: ${SECRET_KEY_BASE}
      REDIS_URL: redis://:${REDIS_PASSWORD}@cache:6379/@n1@
    secrets: [db_password2, { source: @k@_token, target: /run/secrets/token2, mode: 0400 }]
    healthcheck: { test: ["CMD", "redis-cli", "-a", "$$REDIS_PASSWORD", "ping"], interval: @n2@s }
'''

WORKFLOW = '''  @k@:
    runs-on: ubuntu-24.04
    permissions: { id-token: write, contents: read }
    env:
      NPM_TOKEN: ${{ secrets.NPM_TOKEN }}
      @U@_API_KEY: ${{ secrets.@U@_API_KEY_V2 }}
    steps:
      - uses: actions/checkout@@h40@ # v4.@n1@.@n1@
      - uses: docker/login-action@@h40@
        with: { registry: ghcr.io, username: "${{ github.actor }}", password: "${{ secrets.GITHUB_TOKEN }}" }
      - run: ./deploy.sh --token "$@U@_API_KEY" --sha ${{ github.sha }} --cache-key deps-@h16@
      - run: echo "::add-mask::$TOKEN" && echo "token-length=${#TOKEN}" >> "$GITHUB_OUTPUT"
'''

PROPERTIES = '''# @W@ of the @w2@
spring.datasource.url=jdbc:postgresql://localhost:5432/@e@
spring.datasource.password=${DB_PASSWORD}
@k@.api-key=${@U@_API_KEY:}
@k@.token-validity-in-seconds=@n5@
@k@.secret-name=prod/@k@/v2
@k@.password-encoder=argon2id
server.ssl.key-store-password=@store.password@
server.ssl.key-alias=@k@-2026
login.password.label=Password
login.password.hint=At least 12 characters, with 1 digit
token.expired=Your token has expired. Please log in again.
'''

ENV = '''# @w2@
@U@_API_KEY=
@U@_API_TOKEN=<token>
@U@_SECRET=changeme
@U@_CLIENT_SECRET=your-client-secret
@U@_PASSWORD=replace-me
@U@_PRIVATE_KEY_PATH=/etc/@k@/keys/private-key2.pem
@U@_TOKEN_URL=https://auth.example.com/oauth2/token
@U@_KEY_ID=key-@n4@
@U@_SIGNING_KEY=xxxxxxxxxxxxxxxxxxxxxxxx
@U@_URL=postgres://user:password@localhost:5432/@e@
@U@_WEBHOOK_SECRET="TODO: ask ops"
'''


def certificate(draw):
    data = base64.b64encode(b"\x30\x82\x03\x5d\x30\x82" + draw.randbytes(800)).decode()
    lines = "\n".join(data[at:at + 64] for at in range(0, len(data), 64))
    kind = draw.choice(["CERTIFICATE", "PUBLIC KEY", "CERTIFICATE REQUEST"])
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


def known_host(draw):
    return (f"{draw.word()}.example.com,{draw.address()} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{draw.letters(43)}\n"
            f"|1|{draw.base64(20)}|{draw.base64(20)} ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB{draw.letters(88)}=\n")


def diff(draw):
    return draw.fill("diff --git a/src/@e@.rs b/src/@e@.rs\nindex @h7@..@h7@ 100644\n--- a/src/@e@.rs\n+++ b/src/@e@.rs\n@@@@ -@n2@,7 +@n2@,9 @@@@ impl @E@ {\n".replace("@@@@", "@@")
                     + "-    password: String,\n+    password: SecretString,\n+    token: Option<AccessToken2>,\n-let api_key = args.api_key;\n"
                       "+let api_key = std::env::var(\"@U@_API_KEY\")?;\n-// TODO remove the secret from version 2\n")


def notebook(draw):
    def cell():
        return {"cell_type": "code", "id": draw.hex(8), "execution_count": draw.randint(1, 99), "metadata": {"tags": []},
                "source": ["tokens = tokenizer(text)\n", "model = load(token=os.environ['HF_TOKEN'])\n", f"plot(tokens[:{draw.randint(1, 99)}])"],
                "outputs": [{"output_type": "display_data", "data": {"image/png": base64.b64encode(png(draw, 24)).decode(), "text/plain": [f"<Figure size {draw.digits(3)}x{draw.digits(3)}>"]}}]}
    return {"cells": [cell() for _ in range(10)], "nbformat": 4, "nbformat_minor": 5}


def row(draw):
    return (f"INSERT INTO `users` VALUES ({draw.digits(5)},'{draw.word()}@example.com','{draw.sentence()}',NULL,'{draw.uuid()}','{draw.instant()}',{draw.randint(0, 1)});\n")


def chain(draw):
    return [{"blockNumber": draw.digits(8), "hash": "0x" + draw.hex(64), "from": "0x" + draw.hex(40), "to": "0x" + draw.hex(40), "input": "0x" + draw.hex(200),
             "tokenAddress": "0x" + draw.hex(40), "tokenId": draw.digits(5), "nonce": draw.randint(1, 900)} for _ in range(40)]


def call(draw):
    return draw.choice([
        {"tool": "Read", "arguments": {"file_path": f"/srv/app/src/{draw.word()}/token_store.rs", "offset": draw.randint(1, 900), "limit": 200}},
        {"tool": "Bash", "arguments": {"command": f"git show {draw.hex(40)} --stat && cargo test -p {draw.word()}-auth password", "timeout": 120000}},
        {"tool": "Edit", "arguments": {"file_path": "/srv/app/config.py", "old_string": "API_KEY = None", "new_string": draw.fill("API_KEY = os.environ[\"@U@_API_KEY\"]")}},
        {"tool": "Grep", "arguments": {"pattern": "(password|secret|token)\\s*=\\s*[\"'][^\"']{8,}", "path": "/srv/app", "-n": True, "glob": "*.{ts,tsx}"}},
        {"tool": "query", "arguments": {"sql": draw.fill("SELECT id, token_digest FROM @s@ WHERE id = '@uuid@'"), "key": draw.uuid(), "page_token": draw.letters(20)}},
        {"tool": "search", "arguments": {"query": draw.words(3, 9), "cursor": draw.base64(24), "filter": {"key": "status", "value": draw.word()}}},
        {"tool": "create_issue", "arguments": {"title": "Token refresh fails", "body": f"{draw.sentence()} The token expires after 15 minutes, request id {draw.uuid()}.", "labels": ["auth", "p2"]}},
        {"tool": "upload", "arguments": {"name": f"{draw.word()}.png", "sha256": draw.hex(64), "object_key": f"uploads/{draw.hex(2)}/{draw.hex(32)}.png", "content": base64.b64encode(png(draw, 14)).decode()}},
    ])
