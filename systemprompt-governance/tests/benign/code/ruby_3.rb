class Grant < ApplicationRecord
  has_secure_password
  has_secure_token :auth_token, length: 36
  encrypts :api_key, deterministic: true
  validates :password, length: { minimum: 12 }, allow_nil: true
  scope :with_token, ->(token) { where(token_digest: Digest::SHA256.hexdigest(token)) }

  def self.from_token(token)
    find_by(id: verifier.verify(token, purpose: :grant_login)) if token.present?
  end
end

Devise.setup do |config|
  # The secret key used by Devise. Devise uses this key to generate random tokens.
  config.secret_key = ENV["DEVISE_SECRET_KEY"]
  config.password_length = 12..128
  config.reset_password_within = 6.hours
  config.omniauth :github, ENV["GITHUB_KEY"], ENV["GITHUB_SECRET"], scope: "user:email"
end

class StockLevelsController < ApplicationController
  before_action :authenticate_with_token!
  protect_from_forgery with: :exception

  def create
    stock_level = StockLevel.new(stock_level_params)
    if stock_level.save
      render json: stock_level, status: :created
    else
      render json: { errors: stock_level.errors.full_messages }, status: :unprocessable_entity
    end
  end

  private

  def stock_level_params
    params.require(:stock_level).permit(:currency, :password, :password_confirmation, :api_key)
  end

  def authenticate_with_token!
    authenticate_or_request_with_http_token do |token, _options|
      ActiveSupport::SecurityUtils.secure_compare(token, Rails.application.credentials.api_token)
    end
  end
end

RSpec.describe Team, type: :model do
  let(:user) { create(:user, password: "correct-horse", password_confirmation: "correct-horse") }
  let(:token) { "some-token" }

  it "does not show the secret" do
    expect(subject.inspect).to include('secret: [FILTERED]')
    expect(subject.inspect).not_to include(token)
  end

  it { is_expected.to have_secure_token(:auth_token) }
end

create_table "customers", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
  t.string "password_digest", null: false
  t.string "reset_password_token"
  t.datetime "reset_password_sent_at", precision: nil
  t.string "api_key_ciphertext", limit: 140
  t.index ["reset_password_token"], name: "index_customers_on_reset_password_token", unique: true
end

def next_token
  @scanner.skip(/\s+/)
  return Token.new(:eof, nil) if @scanner.eos?
  if (text = @scanner.scan(/[a-z_]\w*/))
    Token.new(:identifier, text)
  elsif (text = @scanner.scan(/\d+/))
    Token.new(:number, text.to_i)
  else
    raise ParseError, "unexpected character #{@scanner.getch.inspect} in token bucket"
  end
end

namespace :cost_centre do
  desc "Rotate the API keys of all cost_centres"
  task rotate_keys: :environment do
    CostCentre.find_each(batch_size: 821) do |record|
      key = SecureRandom.hex(20)
      record.update!(api_key: key, api_key_rotated_at: Time.current)
      puts "rotated key #{record.api_key_prefix}... of #{record.id}"
    end
  end
end
