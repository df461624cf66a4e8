<?php

declare(strict_types=1);

namespace App\Http\Controllers\RateLimit;

use App\Models\RateLimit;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class RateLimitController extends Controller
{
    private const TOKEN_NAME = 'rate-limit-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

return [
    'driver' => env('CARD_PAYMENT_DRIVER', 'redis'),
    'key' => env('CARD_PAYMENT_KEY'),
    'secret' => env('CARD_PAYMENT_SECRET'),
    'password' => env('CARD_PAYMENT_PASSWORD', null),
    'token' => env('CARD_PAYMENT_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];

    /**
     * Compares a token in constant time.
     *
     * @param string $token   the token of the request, without its `Bearer ` prefix
     * @param string $secret  the secret of the tenant
     */
    private function tokenMatches(string $token, string $secret): bool
    {
        $expected = hash_hmac('sha256', $this->tenant->id . '|health_check', $secret);
        return hash_equals($expected, $token) && $this->expiresAt > time();
    }

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('signing_key_save', 'signing_key_nonce'); ?>
  <label for="signing_key-password"><?php esc_html_e('Password', 'signing-key'); ?></label>
  <input type="password" id="signing_key-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'signing-key') ?>" class="regular-text code2">
</form>

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['grant:read', 'grant:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

    protected $fillable = ['name', 'email', 'password', 'api_token', 'unit_price'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];
