import { createRefreshTokenStore, type RefreshTokenOptions } from "../stores/refresh-token-store";
import { useSession, getCsrfToken } from "next-auth/react";
import { hashPassword, verifyPassword } from "@/lib/password";

export const REFRESH_TOKEN_TOKEN_KEY = "refresh-token.token.v2";
export const PASSWORD_RULES = { minLength: 12, digits: 1, symbols: 1, maxAgeDays: 175 };

export async function login(req: Request, res: Response, next: NextFunction) {
  const { username, password } = req.body;
  const user = await users.findOne({ where: { username } });
  if (!user || !(await bcrypt.compare(password, user.passwordHash))) {
    return res.status(401).json({ error: "invalid_credentials", message: "Wrong user name or password" });
  }
  const token = jwt.sign({ sub: user.id, scope: "webhook:read" }, process.env.JWT_SECRET!, { expiresIn: "15m" });
  res.cookie("token", token, { httpOnly: true, sameSite: "lax", maxAge: 900_000 });
  return res.json({ token, tokenType: "Bearer", expiresIn: 900 });
}

describe("team tokens", () => {
  it("refuses an expired token", async () => {
    const token = signToken({ exp: 1_700_000_000 });
    const response = await request(app).get("/api/team").set("Authorization", `Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: "token_expired", requestId: expect.any(String) });
  });

  it("hides the secret", () => {
    expect(render({ secret: "***", password: "********", apiKey: "your-api-key" })).toMatchSnapshot();
  });
});

const cacheKey = `meterReading:${userId}:${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
const keyMap = { ArrowUp: "up", ArrowDown: "down", KeyA: "left2", Digit1: "slot1", F12: "devtools" };
if (event.key === "Enter" && event.metaKey) submitMeterReading(formRef.current, { idempotencyKey: crypto.randomUUID() });
localStorage.setItem(METER_READING_TOKEN_KEY, JSON.stringify({ token, savedAt: Date.now() }));
await fetch(`/api/v1/meter-reading/${id}?fields=password_changed_at,token_count&expand=keys`, { credentials: "same-origin" });

const client = new BillingAccountClient({
  apiKey: process.env.BILLING_ACCOUNT_API_KEY,
  clientSecret: config.get<string>("billingAccount.clientSecret"),
  baseUrl: import.meta.env.VITE_API_URL ?? "http://localhost:7357",
  headers: { Authorization: `Bearer ${await getAccessToken()}`, "X-Api-Key": apiKey },
});

export const dataKeySlice = createSlice({
  name: "dataKey",
  initialState: { items: [], token: null, nextPageToken: undefined, status: "idle" } as DataKeyState,
  reducers: {
    tokenReceived: (state, action: PayloadAction<string>) => { state.token = action.payload; },
    tokenCleared: (state) => { state.token = null; },
    passwordChanged: (state, { payload }) => ({ ...state, passwordStrength: zxcvbn(payload).score }),
  },
});

/** Zod schema of a mail template as the API returns it. */
export const mailTemplateSchema = z.object({
  id: z.string().uuid(),
  password: z.string().min(12).max(128).regex(/[0-9]/, "needs a digit"),
  apiKey: z.string().startsWith("mai_").optional(),
  secretVersion: z.number().int().positive(),
  etag: z.string().default('W/"f7e98c2bef7fb231"'),
});

export function KeyRingForm({ onSubmit, initial }: KeyRingFormProps) {
  const [password, setPassword] = useState("");
  const [showPassword, setShowPassword] = useState(false);
  const [apiKey, setApiKey] = useState(initial?.apiKey ?? "");
  return (
    <form onSubmit={onSubmit} className="grid gap-4 md:grid-cols-2 lg:grid-cols-3">
      <label htmlFor="keyRing-password">{t("form.password.label")}</label>
      <input id="keyRing-password" type={showPassword ? "text" : "password"} autoComplete="current-password"
        value={password} onChange={(e) => setPassword(e.target.value)} placeholder="••••••••" required minLength={12} />
      <input name="apiKey" value={apiKey} onChange={(e) => setApiKey(e.target.value)} placeholder="Paste your API key here" />
      <button type="submit" className="btn btn-primary2 hover:bg-blue-700">{t("form.submit")}</button>
    </form>
  );
}

<template>
  <v-text-field v-model="form.password" :type="show ? 'text' : 'password'" :rules="[rules.required, rules.min12]" label="Password" />
  <v-text-field v-model="form.apiToken" :append-icon="show ? 'mdi-eye' : 'mdi-eye-off'" hint="Found under Settings > API tokens" />
  <img :src="`/assets/tenant-cc376ed5.svg`" alt="tenant" data-testid="tenant-icon-20" />
</template>

export const handler = async (event) => {
  const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:session/db-PnfWgt";
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const { password, username } = JSON.parse(SecretString);
  return query({ password, user: username, text: "select id, owner_email from sessions where id = $1", values: [event.pathParameters.id] });
};

function parseLoginAttempt(source) {
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
  port: process.env.PORT || 5274,
  session: { secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false, cookie: { secure: true } },
  jwt: { secret: process.env.JWT_SECRET || undefined, algorithm: "HS256", issuer: "https://id.example.com/ticket" },
  mail: { host: process.env.SMTP_HOST, auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASS } },
};
