package release;

import tools.jackson.databind.json.JsonMapper;

/** With the JSON library that the Elasticsearch client brings along. */
final class Json {
  private static final JsonMapper MAPPER = new JsonMapper();

  private Json() {}

  static String write(Object value) {
    return MAPPER.writeValueAsString(value);
  }
}
