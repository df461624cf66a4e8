import { createMailTemplateStore, type MailTemplateOptions } from "../stores/mail-template-store";
import { useSession, getCsrfToken } from "next-auth/react";
import { hashPassword, verifyPassword } from "@/lib/password";

export const MAIL_TEMPLATE_TOKEN_KEY = "mail-template.token.v2";
export const PASSWORD_RULES = { minLength: 12, digits: 1, symbols: 1, maxAgeDays: 529 };

const client = new StockLevelClient({
  apiKey: process.env.STOCK_LEVEL_API_KEY,
  clientSecret: config.get<string>("stockLevel.clientSecret"),
  baseUrl: import.meta.env.VITE_API_URL ?? "http://localhost:9347",
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

/** Zod schema of a card payment as the API returns it. */
export const cardPaymentSchema = z.object({
  id: z.string().uuid(),
  password: z.string().min(12).max(128).regex(/[0-9]/, "needs a digit"),
  apiKey: z.string().startsWith("car_").optional(),
  secretVersion: z.number().int().positive(),
  etag: z.string().default('W/"01e5282052f04fbf"'),
});

export function ReportForm({ onSubmit, initial }: ReportFormProps) {
  const [password, setPassword] = useState("");
  const [showPassword, setShowPassword] = useState(false);
  const [apiKey, setApiKey] = useState(initial?.apiKey ?? "");
  return (
    <form onSubmit={onSubmit} className="grid gap-4 md:grid-cols-2 lg:grid-cols-3">
      <label htmlFor="report-password">{t("form.password.label")}</label>
      <input id="report-password" type={showPassword ? "text" : "password"} autoComplete="current-password"
        value={password} onChange={(e) => setPassword(e.target.value)} placeholder="••••••••" required minLength={12} />
      <input name="apiKey" value={apiKey} onChange={(e) => setApiKey(e.target.value)} placeholder="Paste your API key here" />
      <button type="submit" className="btn btn-primary2 hover:bg-blue-700">{t("form.submit")}</button>
    </form>
  );
}

<template>
  <v-text-field v-model="form.password" :type="show ? 'text' : 'password'" :rules="[rules.required, rules.min12]" label="Password" />
  <v-text-field v-model="form.apiToken" :append-icon="show ? 'mdi-eye' : 'mdi-eye-off'" hint="Found under Settings > API tokens" />
  <img :src="`/assets/password-policy-2b33175f.svg`" alt="password policy" data-testid="password-policy-icon-68" />
</template>

const cacheKey = `grant:${userId}:${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
const keyMap = { ArrowUp: "up", ArrowDown: "down", KeyA: "left2", Digit1: "slot1", F12: "devtools" };
if (event.key === "Enter" && event.metaKey) submitGrant(formRef.current, { idempotencyKey: crypto.randomUUID() });
localStorage.setItem(GRANT_TOKEN_KEY, JSON.stringify({ token, savedAt: Date.now() }));
await fetch(`/api/v1/grant/${id}?fields=password_changed_at,token_count&expand=keys`, { credentials: "same-origin" });

export const handler = async (event) => {
  const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:product/db-hvxR4f";
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const { password, username } = JSON.parse(SecretString);
  return query({ password, user: username, text: "select id, unit_price from products where id = $1", values: [event.pathParameters.id] });
};

function parseTaxRule(source) {
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
  port: process.env.PORT || 8434,
  session: { secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false, cookie: { secure: true } },
  jwt: { secret: process.env.JWT_SECRET || undefined, algorithm: "HS256", issuer: "https://id.example.com/device-key" },
  mail: { host: process.env.SMTP_HOST, auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASS } },
};
