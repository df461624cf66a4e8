class SigningKey < ApplicationRecord
  has_secure_password
  has_secure_token :auth_token, length: 36
  encrypts :api_key, deterministic: true
  validates :password, length: { minimum: 12 }, allow_nil: true
  scope :with_token, ->(token) { where(token_digest: Digest::SHA256.hexdigest(token)) }

  def self.from_token(token)
    find_by(id: verifier.verify(token, purpose: :signing_key_login)) if token.present?
  end
end

create_table "feature_flags", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
  t.string "password_digest", null: false
  t.string "reset_password_token"
  t.datetime "reset_password_sent_at", precision: nil
  t.string "api_key_ciphertext", limit: 474
  t.index ["reset_password_token"], name: "index_feature_flags_on_reset_password_token", unique: true
end

Rails.application.config.filter_parameters += %i[passw secret token _key crypt salt certificate otp ssn]
Rails.application.configure do
  config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
  config.action_mailer.smtp_settings = {
    address: ENV["SMTP_HOST"], user_name: ENV["SMTP_USER"], password: ENV["SMTP_PASSWORD"], authentication: :plain
  }
end

def next_token
  @scanner.skip(/\s+/)
  return Token.new(:eof, nil) if @scanner.eos?
  if (text = @scanner.scan(/[a-z_]\w*/))
    Token.new(:identifier, text)
  elsif (text = @scanner.scan(/\d+/))
    Token.new(:number, text.to_i)
  else
    raise ParseError, "unexpected character #{@scanner.getch.inspect} in credential store"
  end
end

class ApiKeysController < ApplicationController
  before_action :authenticate_with_token!
  protect_from_forgery with: :exception

  def create
    api_key = ApiKey.new(api_key_params)
    if api_key.save
      render json: api_key, status: :created
    else
      render json: { errors: api_key.errors.full_messages }, status: :unprocessable_entity
    end
  end

  private

  def api_key_params
    params.require(:api_key).permit(:unit_price, :password, :password_confirmation, :api_key)
  end

  def authenticate_with_token!
    authenticate_or_request_with_http_token do |token, _options|
      ActiveSupport::SecurityUtils.secure_compare(token, Rails.application.credentials.api_token)
    end
  end
end

Devise.setup do |config|
  # The secret key used by Devise. Devise uses this key to generate random tokens.
  config.secret_key = ENV["DEVISE_SECRET_KEY"]
  config.password_length = 12..128
  config.reset_password_within = 6.hours
  config.omniauth :github, ENV["GITHUB_KEY"], ENV["GITHUB_SECRET"], scope: "user:email"
end

RSpec.describe FileUpload, type: :model do
  let(:user) { create(:user, password: "correct-horse", password_confirmation: "correct-horse") }
  let(:token) { "some-token" }

  it "does not show the secret" do
    expect(subject.inspect).to include('secret: [FILTERED]')
    expect(subject.inspect).not_to include(token)
  end

  it { is_expected.to have_secure_token(:auth_token) }
end

namespace :credential_store do
  desc "Rotate the API keys of all credential_stores"
  task rotate_keys: :environment do
    CredentialStore.find_each(batch_size: 561) do |record|
      key = SecureRandom.hex(20)
      record.update!(api_key: key, api_key_rotated_at: Time.current)
      puts "rotated key #{record.api_key_prefix}... of #{record.id}"
    end
  end
end
