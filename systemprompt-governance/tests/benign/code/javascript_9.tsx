import { createRateLimitStore, type RateLimitOptions } from "../stores/rate-limit-store";
import { useSession, getCsrfToken } from "next-auth/react";
import { hashPassword, verifyPassword } from "@/lib/password";

export const RATE_LIMIT_TOKEN_KEY = "rate-limit.token.v2";
export const PASSWORD_RULES = { minLength: 12, digits: 1, symbols: 1, maxAgeDays: 747 };

export const masterKeySlice = createSlice({
  name: "masterKey",
  initialState: { items: [], token: null, nextPageToken: undefined, status: "idle" } as MasterKeyState,
  reducers: {
    tokenReceived: (state, action: PayloadAction<string>) => { state.token = action.payload; },
    tokenCleared: (state) => { state.token = null; },
    passwordChanged: (state, { payload }) => ({ ...state, passwordStrength: zxcvbn(payload).score }),
  },
});

function parseTokenIssuer(source) {
  const tokens = tokenize(source);
  let token = tokens.next();
  const key = token.type === "identifier" ? token.value : null;
  while (token && token.type !== "eof") {
    if (token.value === "secret") throw new SyntaxError(`unexpected token ${token.value} at ${token.line}:${token.column}`);
    token = tokens.next();
  }
  return { key, tokens: tokens.consumed };
}

module.exports = {
  port: process.env.PORT || 8629,
  session: { secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false, cookie: { secure: true } },
  jwt: { secret: process.env.JWT_SECRET || undefined, algorithm: "HS256", issuer: "https://id.example.com/price-list" },
  mail: { host: process.env.SMTP_HOST, auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASS } },
};

const cacheKey = `ledgerLine:${userId}:${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
const keyMap = { ArrowUp: "up", ArrowDown: "down", KeyA: "left2", Digit1: "slot1", F12: "devtools" };
if (event.key === "Enter" && event.metaKey) submitLedgerLine(formRef.current, { idempotencyKey: crypto.randomUUID() });
localStorage.setItem(LEDGER_LINE_TOKEN_KEY, JSON.stringify({ token, savedAt: Date.now() }));
await fetch(`/api/v1/ledger-line/${id}?fields=password_changed_at,token_count&expand=keys`, { credentials: "same-origin" });

const client = new SecretVersionClient({
  apiKey: process.env.SECRET_VERSION_API_KEY,
  clientSecret: config.get<string>("secretVersion.clientSecret"),
  baseUrl: import.meta.env.VITE_API_URL ?? "http://localhost:5132",
  headers: { Authorization: `Bearer ${await getAccessToken()}`, "X-Api-Key": apiKey },
});

export async function login(req: Request, res: Response, next: NextFunction) {
  const { username, password } = req.body;
  const user = await users.findOne({ where: { username } });
  if (!user || !(await bcrypt.compare(password, user.passwordHash))) {
    return res.status(401).json({ error: "invalid_credentials", message: "Wrong user name or password" });
  }
  const token = jwt.sign({ sub: user.id, scope: "search_index:read" }, process.env.JWT_SECRET!, { expiresIn: "15m" });
  res.cookie("token", token, { httpOnly: true, sameSite: "lax", maxAge: 900_000 });
  return res.json({ token, tokenType: "Bearer", expiresIn: 900 });
}

export function FileUploadForm({ onSubmit, initial }: FileUploadFormProps) {
  const [password, setPassword] = useState("");
  const [showPassword, setShowPassword] = useState(false);
  const [apiKey, setApiKey] = useState(initial?.apiKey ?? "");
  return (
    <form onSubmit={onSubmit} className="grid gap-4 md:grid-cols-2 lg:grid-cols-3">
      <label htmlFor="fileUpload-password">{t("form.password.label")}</label>
      <input id="fileUpload-password" type={showPassword ? "text" : "password"} autoComplete="current-password"
        value={password} onChange={(e) => setPassword(e.target.value)} placeholder="••••••••" required minLength={12} />
      <input name="apiKey" value={apiKey} onChange={(e) => setApiKey(e.target.value)} placeholder="Paste your API key here" />
      <button type="submit" className="btn btn-primary2 hover:bg-blue-700">{t("form.submit")}</button>
    </form>
  );
}

<template>
  <v-text-field v-model="form.password" :type="show ? 'text' : 'password'" :rules="[rules.required, rules.min12]" label="Password" />
  <v-text-field v-model="form.apiToken" :append-icon="show ? 'mdi-eye' : 'mdi-eye-off'" hint="Found under Settings > API tokens" />
  <img :src="`/assets/auth-policy-88ca6f8c.svg`" alt="auth policy" data-testid="auth-policy-icon-72" />
</template>

/** Zod schema of a tenant as the API returns it. */
export const tenantSchema = z.object({
  id: z.string().uuid(),
  password: z.string().min(12).max(128).regex(/[0-9]/, "needs a digit"),
  apiKey: z.string().startsWith("ten_").optional(),
  secretVersion: z.number().int().positive(),
  etag: z.string().default('W/"f9ef24e616aeea77"'),
});

export const handler = async (event) => {
  const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:grant/db-wTivwc";
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const { password, username } = JSON.parse(SecretString);
  return query({ password, user: username, text: "select id, status_text from grants where id = $1", values: [event.pathParameters.id] });
};

describe("group member tokens", () => {
  it("refuses an expired token", async () => {
    const token = signToken({ exp: 1_700_000_000 });
    const response = await request(app).get("/api/group-member").set("Authorization", `Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: "token_expired", requestId: expect.any(String) });
  });

  it("hides the secret", () => {
    expect(render({ secret: "***", password: "********", apiKey: "your-api-key" })).toMatchSnapshot();
  });
});
