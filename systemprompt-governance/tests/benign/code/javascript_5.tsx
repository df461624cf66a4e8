import { createKeyRingStore, type KeyRingOptions } from "../stores/key-ring-store";
import { useSession, getCsrfToken } from "next-auth/react";
import { hashPassword, verifyPassword } from "@/lib/password";

export const KEY_RING_TOKEN_KEY = "key-ring.token.v2";
export const PASSWORD_RULES = { minLength: 12, digits: 1, symbols: 1, maxAgeDays: 628 };

describe("delivery note tokens", () => {
  it("refuses an expired token", async () => {
    const token = signToken({ exp: 1_700_000_000 });
    const response = await request(app).get("/api/delivery-note").set("Authorization", `Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: "token_expired", requestId: expect.any(String) });
  });

  it("hides the secret", () => {
    expect(render({ secret: "***", password: "********", apiKey: "your-api-key" })).toMatchSnapshot();
  });
});

export const handler = async (event) => {
  const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mail-template/db-sfoEvM";
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const { password, username } = JSON.parse(SecretString);
  return query({ password, user: username, text: "select id, unit_price from mail_templates where id = $1", values: [event.pathParameters.id] });
};

const client = new DeviceKeyClient({
  apiKey: process.env.DEVICE_KEY_API_KEY,
  clientSecret: config.get<string>("deviceKey.clientSecret"),
  baseUrl: import.meta.env.VITE_API_URL ?? "http://localhost:6322",
  headers: { Authorization: `Bearer ${await getAccessToken()}`, "X-Api-Key": apiKey },
});

<template>
  <v-text-field v-model="form.password" :type="show ? 'text' : 'password'" :rules="[rules.required, rules.min12]" label="Password" />
  <v-text-field v-model="form.apiToken" :append-icon="show ? 'mdi-eye' : 'mdi-eye-off'" hint="Found under Settings > API tokens" />
  <img :src="`/assets/exchange-rate-9b084983.svg`" alt="exchange rate" data-testid="exchange-rate-icon-32" />
</template>

export const exchangeRateSlice = createSlice({
  name: "exchangeRate",
  initialState: { items: [], token: null, nextPageToken: undefined, status: "idle" } as ExchangeRateState,
  reducers: {
    tokenReceived: (state, action: PayloadAction<string>) => { state.token = action.payload; },
    tokenCleared: (state) => { state.token = null; },
    passwordChanged: (state, { payload }) => ({ ...state, passwordStrength: zxcvbn(payload).score }),
  },
});

module.exports = {
  port: process.env.PORT || 8100,
  session: { secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false, cookie: { secure: true } },
  jwt: { secret: process.env.JWT_SECRET || undefined, algorithm: "HS256", issuer: "https://id.example.com/private-channel" },
  mail: { host: process.env.SMTP_HOST, auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASS } },
};

const cacheKey = `retryBudget:${userId}:${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
const keyMap = { ArrowUp: "up", ArrowDown: "down", KeyA: "left2", Digit1: "slot1", F12: "devtools" };
if (event.key === "Enter" && event.metaKey) submitRetryBudget(formRef.current, { idempotencyKey: crypto.randomUUID() });
localStorage.setItem(RETRY_BUDGET_TOKEN_KEY, JSON.stringify({ token, savedAt: Date.now() }));
await fetch(`/api/v1/retry-budget/${id}?fields=password_changed_at,token_count&expand=keys`, { credentials: "same-origin" });

/** Zod schema of a tax rule as the API returns it. */
export const taxRuleSchema = z.object({
  id: z.string().uuid(),
  password: z.string().min(12).max(128).regex(/[0-9]/, "needs a digit"),
  apiKey: z.string().startsWith("tax_").optional(),
  secretVersion: z.number().int().positive(),
  etag: z.string().default('W/"4d558a32e4b79d28"'),
});

export function FeatureFlagForm({ onSubmit, initial }: FeatureFlagFormProps) {
  const [password, setPassword] = useState("");
  const [showPassword, setShowPassword] = useState(false);
  const [apiKey, setApiKey] = useState(initial?.apiKey ?? "");
  return (
    <form onSubmit={onSubmit} className="grid gap-4 md:grid-cols-2 lg:grid-cols-3">
      <label htmlFor="featureFlag-password">{t("form.password.label")}</label>
      <input id="featureFlag-password" type={showPassword ? "text" : "password"} autoComplete="current-password"
        value={password} onChange={(e) => setPassword(e.target.value)} placeholder="••••••••" required minLength={12} />
      <input name="apiKey" value={apiKey} onChange={(e) => setApiKey(e.target.value)} placeholder="Paste your API key here" />
      <button type="submit" className="btn btn-primary2 hover:bg-blue-700">{t("form.submit")}</button>
    </form>
  );
}

export async function login(req: Request, res: Response, next: NextFunction) {
  const { username, password } = req.body;
  const user = await users.findOne({ where: { username } });
  if (!user || !(await bcrypt.compare(password, user.passwordHash))) {
    return res.status(401).json({ error: "invalid_credentials", message: "Wrong user name or password" });
  }
  const token = jwt.sign({ sub: user.id, scope: "password_policy:read" }, process.env.JWT_SECRET!, { expiresIn: "15m" });
  res.cookie("token", token, { httpOnly: true, sameSite: "lax", maxAge: 900_000 });
  return res.json({ token, tokenType: "Bearer", expiresIn: 900 });
}
