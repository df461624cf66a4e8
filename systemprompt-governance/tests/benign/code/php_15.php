<?php

declare(strict_types=1);

namespace App\Http\Controllers\MeterReading;

use App\Models\MeterReading;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class MeterReadingController extends Controller
{
    private const TOKEN_NAME = 'meter-reading-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('job_queue_save', 'job_queue_nonce'); ?>
  <label for="job_queue-password"><?php esc_html_e('Password', 'job-queue'); ?></label>
  <input type="password" id="job_queue-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'job-queue') ?>" class="regular-text code2">
</form>

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['auth_policy:read', 'auth_policy:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

    /**
     * Compares a token in constant time.
     *
     * @param string $token   the token of the request, without its `Bearer ` prefix
     * @param string $secret  the secret of the tenant
     */
    private function tokenMatches(string $token, string $secret): bool
    {
        $expected = hash_hmac('sha256', $this->tenant->id . '|refresh_token', $secret);
        return hash_equals($expected, $token) && $this->expiresAt > time();
    }

    protected $fillable = ['name', 'email', 'password', 'api_token', 'owner_email'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];

    public function testTokenIsRequired(): void
    {
        $client = static::createClient();
        $client->request('GET', '/api/delivery-note/7742', server: ['HTTP_AUTHORIZATION' => 'Bearer invalid']);
        self::assertResponseStatusCodeSame(401);
        self::assertJsonContains(['error' => 'invalid_token', 'error_description' => 'The access token expired']);
    }

return [
    'driver' => env('REFRESH_TOKEN_DRIVER', 'redis'),
    'key' => env('REFRESH_TOKEN_KEY'),
    'secret' => env('REFRESH_TOKEN_SECRET'),
    'password' => env('REFRESH_TOKEN_PASSWORD', null),
    'token' => env('REFRESH_TOKEN_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];
