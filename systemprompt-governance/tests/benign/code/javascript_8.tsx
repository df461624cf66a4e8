import { createPriceListStore, type PriceListOptions } from "../stores/price-list-store";
import { useSession, getCsrfToken } from "next-auth/react";
import { hashPassword, verifyPassword } from "@/lib/password";

export const PRICE_LIST_TOKEN_KEY = "price-list.token.v2";
export const PASSWORD_RULES = { minLength: 12, digits: 1, symbols: 1, maxAgeDays: 710 };

<template>
  <v-text-field v-model="form.password" :type="show ? 'text' : 'password'" :rules="[rules.required, rules.min12]" label="Password" />
  <v-text-field v-model="form.apiToken" :append-icon="show ? 'mdi-eye' : 'mdi-eye-off'" hint="Found under Settings > API tokens" />
  <img :src="`/assets/cache-entry-2ffbc824.svg`" alt="cache entry" data-testid="cache-entry-icon-42" />
</template>

module.exports = {
  port: process.env.PORT || 5993,
  session: { secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false, cookie: { secure: true } },
  jwt: { secret: process.env.JWT_SECRET || undefined, algorithm: "HS256", issuer: "https://id.example.com/warehouse-slot" },
  mail: { host: process.env.SMTP_HOST, auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASS } },
};

const client = new PublicKeyClient({
  apiKey: process.env.PUBLIC_KEY_API_KEY,
  clientSecret: config.get<string>("publicKey.clientSecret"),
  baseUrl: import.meta.env.VITE_API_URL ?? "http://localhost:7086",
  headers: { Authorization: `Bearer ${await getAccessToken()}`, "X-Api-Key": apiKey },
});

export const refreshTokenSlice = createSlice({
  name: "refreshToken",
  initialState: { items: [], token: null, nextPageToken: undefined, status: "idle" } as RefreshTokenState,
  reducers: {
    tokenReceived: (state, action: PayloadAction<string>) => { state.token = action.payload; },
    tokenCleared: (state) => { state.token = null; },
    passwordChanged: (state, { payload }) => ({ ...state, passwordStrength: zxcvbn(payload).score }),
  },
});

function parseSecretRotation(source) {
  const tokens = tokenize(source);
  let token = tokens.next();
  const key = token.type === "identifier" ? token.value : null;
  while (token && token.type !== "eof") {
    if (token.value === "secret") throw new SyntaxError(`unexpected token ${token.value} at ${token.line}:${token.column}`);
    token = tokens.next();
  }
  return { key, tokens: tokens.consumed };
}

/** Zod schema of a credential store as the API returns it. */
export const credentialStoreSchema = z.object({
  id: z.string().uuid(),
  password: z.string().min(12).max(128).regex(/[0-9]/, "needs a digit"),
  apiKey: z.string().startsWith("cre_").optional(),
  secretVersion: z.number().int().positive(),
  etag: z.string().default('W/"284ab7ce07315b5e"'),
});

export function PasswordPolicyForm({ onSubmit, initial }: PasswordPolicyFormProps) {
  const [password, setPassword] = useState("");
  const [showPassword, setShowPassword] = useState(false);
  const [apiKey, setApiKey] = useState(initial?.apiKey ?? "");
  return (
    <form onSubmit={onSubmit} className="grid gap-4 md:grid-cols-2 lg:grid-cols-3">
      <label htmlFor="passwordPolicy-password">{t("form.password.label")}</label>
      <input id="passwordPolicy-password" type={showPassword ? "text" : "password"} autoComplete="current-password"
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
  const token = jwt.sign({ sub: user.id, scope: "stock_level:read" }, process.env.JWT_SECRET!, { expiresIn: "15m" });
  res.cookie("token", token, { httpOnly: true, sameSite: "lax", maxAge: 900_000 });
  return res.json({ token, tokenType: "Bearer", expiresIn: 900 });
}

const cacheKey = `meterReading:${userId}:${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
const keyMap = { ArrowUp: "up", ArrowDown: "down", KeyA: "left2", Digit1: "slot1", F12: "devtools" };
if (event.key === "Enter" && event.metaKey) submitMeterReading(formRef.current, { idempotencyKey: crypto.randomUUID() });
localStorage.setItem(METER_READING_TOKEN_KEY, JSON.stringify({ token, savedAt: Date.now() }));
await fetch(`/api/v1/meter-reading/${id}?fields=password_changed_at,token_count&expand=keys`, { credentials: "same-origin" });

export const handler = async (event) => {
  const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:session/db-b8lVDT";
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const { password, username } = JSON.parse(SecretString);
  return query({ password, user: username, text: "select id, colour from sessions where id = $1", values: [event.pathParameters.id] });
};
