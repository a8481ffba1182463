"""The OpenAI API's requests and answers, and what they mean to the engine."""
