"""Sign-in through an OpenID Connect provider: the authorization code flow with PKCE.

`service.py` has the flow; `provider.py` knows the provider, `id_token.py` what it signs, and `attempt.py` what the
browser keeps between the two requests. Whose account it is, `semantik/auth/external_accounts.py` decides.
"""
