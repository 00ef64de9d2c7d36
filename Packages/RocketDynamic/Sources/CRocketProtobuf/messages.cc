#include <climits>
#include <exception>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include "schema.h"

namespace pb = google::protobuf;

const char *rocket_protobuf_bytes_data(const rocket_protobuf_bytes *bytes) {
    return bytes->text.c_str();
}

size_t rocket_protobuf_bytes_count(const rocket_protobuf_bytes *bytes) { return bytes->text.size(); }

void rocket_protobuf_bytes_free(rocket_protobuf_bytes *bytes) { delete bytes; }

namespace {

rocket_protobuf_result value(std::string bytes) {
    return {rocket::owned(std::move(bytes)), nullptr};
}

rocket_protobuf_result failure(std::string text) {
    return {nullptr, rocket::owned(std::move(text))};
}

template <typename Step>
rocket_protobuf_result guarded(Step step) {
    try {
        return step();
    } catch (const std::exception &error) {
        try {
            return failure(error.what());
        } catch (const std::exception &) {
            return {nullptr, nullptr};
        }
    }
}

/// An empty message; NULL: there is no such type.
std::unique_ptr<pb::Message> create(const rocket_protobuf_schema *schema, const char *name) {
    const pb::Descriptor *type = schema->pool.FindMessageTypeByName(name);
    if (!type) return nullptr;
    return std::unique_ptr<pb::Message>(schema->messages->GetPrototype(type)->New());
}

/// Writes a message with its fields by their numbers, and maps by their keys.
bool write(const pb::Message &message, std::string *bytes) {
    pb::io::StringOutputStream stream(bytes);
    pb::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    return message.SerializePartialToCodedStream(&output);
}

std::string url(const char *name) { return std::string("type.googleapis.com/") + name; }

}  // namespace

rocket_protobuf_result rocket_protobuf_encode(
    const rocket_protobuf_schema *schema, const char *name, const char *json, size_t count,
    size_t limit) {
    return guarded([&]() -> rocket_protobuf_result {
        auto message = create(schema, name);
        if (!message) return failure(std::string("there is no message '") + name + "'");
        if (count > INT_MAX) return failure("the JSON is too long");
        std::string bytes;
        auto status = pb::util::JsonToBinaryString(
            schema->types.get(), url(name), pb::StringPiece(json, count), &bytes);
        if (!status.ok()) return failure(std::string(status.message()));
        // The message checks what the converter does not: required fields, and the length of all.
        if (bytes.size() > limit)
            return failure("the message has " + std::to_string(bytes.size()) +
                           " bytes; the limit is " + std::to_string(limit));
        if (!message->ParsePartialFromString(bytes))
            return failure("the message has a string that is not valid UTF-8");
        if (!message->IsInitialized())
            return failure("required fields are missing: " + message->InitializationErrorString());
        std::string result;
        if (!write(*message, &result)) return failure("the message can't be encoded");
        return value(std::move(result));
    });
}

rocket_protobuf_result rocket_protobuf_decode(
    const rocket_protobuf_schema *schema, const char *name, const void *bytes, size_t count,
    int options) {
    return guarded([&]() -> rocket_protobuf_result {
        auto message = create(schema, name);
        if (!message) return failure(std::string("there is no message '") + name + "'");
        if (count > INT_MAX) return failure("the message is too long");
        std::string ordered;
        if (!message->ParsePartialFromArray(bytes, static_cast<int>(count)) ||
            !write(*message, &ordered))
            return failure(std::string("the bytes are no valid ") + name);
        pb::util::JsonPrintOptions print;
        print.add_whitespace = (options & ROCKET_PROTOBUF_PRETTY) != 0;
        print.always_print_primitive_fields = (options & ROCKET_PROTOBUF_DEFAULTS) != 0;
        print.preserve_proto_field_names = (options & ROCKET_PROTOBUF_JSON_NAMES) == 0;
        std::string json;
        auto status = pb::util::BinaryToJsonString(
            schema->types.get(), url(name), ordered, &json, print);
        if (!status.ok()) return failure(std::string(status.message()));
        return value(std::move(json));
    });
}
