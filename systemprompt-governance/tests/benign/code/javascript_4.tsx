import { createOrderLineStore, type OrderLineOptions } from "../stores/order-line-store";
import { useSession, getCsrfToken } from "next-auth/react";
import { hashPassword, verifyPassword } from "@/lib/password";

export const ORDER_LINE_TOKEN_KEY = "order-line.token.v2";
export const PASSWORD_RULES = { minLength: 12, digits: 1, symbols: 1, maxAgeDays: 555 };

<template>
  <v-text-field v-model="form.password" :type="show ? 'text' : 'password'" :rules="[rules.required, rules.min12]" label="Password" />
  <v-text-field v-model="form.apiToken" :append-icon="show ? 'mdi-eye' : 'mdi-eye-off'" hint="Found under Settings > API tokens" />
  <img :src="`/assets/price-list-135abb39.svg`" alt="price list" data-testid="price-list-icon-94" />
</template>

/** Zod schema of a price list as the API returns it. */
export const priceListSchema = z.object({
  id: z.string().uuid(),
  password: z.string().min(12).max(128).regex(/[0-9]/, "needs a digit"),
  apiKey: z.string().startsWith("pri_").optional(),
  secretVersion: z.number().int().positive(),
  etag: z.string().default('W/"3b1f73ad7431e6f3"'),
});

describe("invoice tokens", () => {
  it("refuses an expired token", async () => {
    const token = signToken({ exp: 1_700_000_000 });
    const response = await request(app).get("/api/invoice").set("Authorization", `Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: "token_expired", requestId: expect.any(String) });
  });

  it("hides the secret", () => {
    expect(render({ secret: "***", password: "********", apiKey: "your-api-key" })).toMatchSnapshot();
  });
});

function parseApiKey(source) {
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
  port: process.env.PORT || 3731,
  session: { secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false, cookie: { secure: true } },
  jwt: { secret: process.env.JWT_SECRET || undefined, algorithm: "HS256", issuer: "https://id.example.com/billing-account" },
  mail: { host: process.env.SMTP_HOST, auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASS } },
};

export const handler = async (event) => {
  const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:device-key/db-qbJWi5";
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const { password, username } = JSON.parse(SecretString);
  return query({ password, user: username, text: "select id, external_ref from device_keys where id = $1", values: [event.pathParameters.id] });
};

export async function login(req: Request, res: Response, next: NextFunction) {
  const { username, password } = req.body;
  const user = await users.findOne({ where: { username } });
  if (!user || !(await bcrypt.compare(password, user.passwordHash))) {
    return res.status(401).json({ error: "invalid_credentials", message: "Wrong user name or password" });
  }
  const token = jwt.sign({ sub: user.id, scope: "rate_limit:read" }, process.env.JWT_SECRET!, { expiresIn: "15m" });
  res.cookie("token", token, { httpOnly: true, sameSite: "lax", maxAge: 900_000 });
  return res.json({ token, tokenType: "Bearer", expiresIn: 900 });
}

export const taxRuleSlice = createSlice({
  name: "taxRule",
  initialState: { items: [], token: null, nextPageToken: undefined, status: "idle" } as TaxRuleState,
  reducers: {
    tokenReceived: (state, action: PayloadAction<string>) => { state.token = action.payload; },
    tokenCleared: (state) => { state.token = null; },
    passwordChanged: (state, { payload }) => ({ ...state, passwordStrength: zxcvbn(payload).score }),
  },
});

const cacheKey = `groupMember:${userId}:${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
const keyMap = { ArrowUp: "up", ArrowDown: "down", KeyA: "left2", Digit1: "slot1", F12: "devtools" };
if (event.key === "Enter" && event.metaKey) submitGroupMember(formRef.current, { idempotencyKey: crypto.randomUUID() });
localStorage.setItem(GROUP_MEMBER_TOKEN_KEY, JSON.stringify({ token, savedAt: Date.now() }));
await fetch(`/api/v1/group-member/${id}?fields=password_changed_at,token_count&expand=keys`, { credentials: "same-origin" });

export function SearchIndexForm({ onSubmit, initial }: SearchIndexFormProps) {
  const [password, setPassword] = useState("");
  const [showPassword, setShowPassword] = useState(false);
  const [apiKey, setApiKey] = useState(initial?.apiKey ?? "");
  return (
    <form onSubmit={onSubmit} className="grid gap-4 md:grid-cols-2 lg:grid-cols-3">
      <label htmlFor="searchIndex-password">{t("form.password.label")}</label>
      <input id="searchIndex-password" type={showPassword ? "text" : "password"} autoComplete="current-password"
        value={password} onChange={(e) => setPassword(e.target.value)} placeholder="••••••••" required minLength={12} />
      <input name="apiKey" value={apiKey} onChange={(e) => setApiKey(e.target.value)} placeholder="Paste your API key here" />
      <button type="submit" className="btn btn-primary2 hover:bg-blue-700">{t("form.submit")}</button>
    </form>
  );
}

const client = new DeliveryNoteClient({
  apiKey: process.env.DELIVERY_NOTE_API_KEY,
  clientSecret: config.get<string>("deliveryNote.clientSecret"),
  baseUrl: import.meta.env.VITE_API_URL ?? "http://localhost:5404",
  headers: { Authorization: `Bearer ${await getAccessToken()}`, "X-Api-Key": apiKey },
});
