import { createDeviceKeyStore, type DeviceKeyOptions } from "../stores/device-key-store";
import { useSession, getCsrfToken } from "next-auth/react";
import { hashPassword, verifyPassword } from "@/lib/password";

export const DEVICE_KEY_TOKEN_KEY = "device-key.token.v2";
export const PASSWORD_RULES = { minLength: 12, digits: 1, symbols: 1, maxAgeDays: 962 };

<template>
  <v-text-field v-model="form.password" :type="show ? 'text' : 'password'" :rules="[rules.required, rules.min12]" label="Password" />
  <v-text-field v-model="form.apiToken" :append-icon="show ? 'mdi-eye' : 'mdi-eye-off'" hint="Found under Settings > API tokens" />
  <img :src="`/assets/audit-entry-589e76cd.svg`" alt="audit entry" data-testid="audit-entry-icon-75" />
</template>

const cacheKey = `report:${userId}:${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
const keyMap = { ArrowUp: "up", ArrowDown: "down", KeyA: "left2", Digit1: "slot1", F12: "devtools" };
if (event.key === "Enter" && event.metaKey) submitReport(formRef.current, { idempotencyKey: crypto.randomUUID() });
localStorage.setItem(REPORT_TOKEN_KEY, JSON.stringify({ token, savedAt: Date.now() }));
await fetch(`/api/v1/report/${id}?fields=password_changed_at,token_count&expand=keys`, { credentials: "same-origin" });

export async function login(req: Request, res: Response, next: NextFunction) {
  const { username, password } = req.body;
  const user = await users.findOne({ where: { username } });
  if (!user || !(await bcrypt.compare(password, user.passwordHash))) {
    return res.status(401).json({ error: "invalid_credentials", message: "Wrong user name or password" });
  }
  const token = jwt.sign({ sub: user.id, scope: "refresh_token:read" }, process.env.JWT_SECRET!, { expiresIn: "15m" });
  res.cookie("token", token, { httpOnly: true, sameSite: "lax", maxAge: 900_000 });
  return res.json({ token, tokenType: "Bearer", expiresIn: 900 });
}

/** Zod schema of a secret rotation as the API returns it. */
export const secretRotationSchema = z.object({
  id: z.string().uuid(),
  password: z.string().min(12).max(128).regex(/[0-9]/, "needs a digit"),
  apiKey: z.string().startsWith("sec_").optional(),
  secretVersion: z.number().int().positive(),
  etag: z.string().default('W/"e9b5cb8c2ecf52d1"'),
});

export function PublicKeyForm({ onSubmit, initial }: PublicKeyFormProps) {
  const [password, setPassword] = useState("");
  const [showPassword, setShowPassword] = useState(false);
  const [apiKey, setApiKey] = useState(initial?.apiKey ?? "");
  return (
    <form onSubmit={onSubmit} className="grid gap-4 md:grid-cols-2 lg:grid-cols-3">
      <label htmlFor="publicKey-password">{t("form.password.label")}</label>
      <input id="publicKey-password" type={showPassword ? "text" : "password"} autoComplete="current-password"
        value={password} onChange={(e) => setPassword(e.target.value)} placeholder="••••••••" required minLength={12} />
      <input name="apiKey" value={apiKey} onChange={(e) => setApiKey(e.target.value)} placeholder="Paste your API key here" />
      <button type="submit" className="btn btn-primary2 hover:bg-blue-700">{t("form.submit")}</button>
    </form>
  );
}

module.exports = {
  port: process.env.PORT || 3547,
  session: { secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false, cookie: { secure: true } },
  jwt: { secret: process.env.JWT_SECRET || undefined, algorithm: "HS256", issuer: "https://id.example.com/group-member" },
  mail: { host: process.env.SMTP_HOST, auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASS } },
};

export const handler = async (event) => {
  const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:master-key/db-TcrvFl";
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const { password, username } = JSON.parse(SecretString);
  return query({ password, user: username, text: "select id, locale from master_keys where id = $1", values: [event.pathParameters.id] });
};

describe("master key tokens", () => {
  it("refuses an expired token", async () => {
    const token = signToken({ exp: 1_700_000_000 });
    const response = await request(app).get("/api/master-key").set("Authorization", `Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: "token_expired", requestId: expect.any(String) });
  });

  it("hides the secret", () => {
    expect(render({ secret: "***", password: "********", apiKey: "your-api-key" })).toMatchSnapshot();
  });
});

const client = new CredentialStoreClient({
  apiKey: process.env.CREDENTIAL_STORE_API_KEY,
  clientSecret: config.get<string>("credentialStore.clientSecret"),
  baseUrl: import.meta.env.VITE_API_URL ?? "http://localhost:1005",
  headers: { Authorization: `Bearer ${await getAccessToken()}`, "X-Api-Key": apiKey },
});

export const deviceKeySlice = createSlice({
  name: "deviceKey",
  initialState: { items: [], token: null, nextPageToken: undefined, status: "idle" } as DeviceKeyState,
  reducers: {
    tokenReceived: (state, action: PayloadAction<string>) => { state.token = action.payload; },
    tokenCleared: (state) => { state.token = null; },
    passwordChanged: (state, { payload }) => ({ ...state, passwordStrength: zxcvbn(payload).score }),
  },
});
