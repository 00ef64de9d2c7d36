#include <exception>

#include "schema.h"

namespace pb = google::protobuf;

size_t rocket_protobuf_service_count(const rocket_protobuf_schema *schema) {
    return schema->services.size();
}

const char *rocket_protobuf_service_name(const rocket_protobuf_schema *schema, size_t service) {
    return schema->services[service]->full_name().c_str();
}

const char *rocket_protobuf_service_file(const rocket_protobuf_schema *schema, size_t service) {
    return schema->services[service]->file()->name().c_str();
}

size_t rocket_protobuf_method_count(const rocket_protobuf_schema *schema, size_t service) {
    return static_cast<size_t>(schema->services[service]->method_count());
}

rocket_protobuf_method rocket_protobuf_method_at(
    const rocket_protobuf_schema *schema, size_t service, size_t method) {
    const pb::MethodDescriptor *found = schema->services[service]->method(static_cast<int>(method));
    return {found->name().c_str(), found->input_type()->full_name().c_str(),
            found->output_type()->full_name().c_str(), found->client_streaming(),
            found->server_streaming()};
}

int rocket_protobuf_has_message(const rocket_protobuf_schema *schema, const char *name) {
    try {
        return schema->pool.FindMessageTypeByName(name) != nullptr;
    } catch (const std::exception &) {
        return 0;
    }
}

namespace {

template <typename Descriptor>
rocket_protobuf_bytes *definition(const Descriptor *descriptor) {
    pb::DebugStringOptions options;
    options.include_comments = true;
    return rocket::owned(descriptor->DebugStringWithOptions(options));
}

/// `int32`, or the full name of a message or an enum.
std::string type_name(const pb::FieldDescriptor *field) {
    if (field->message_type()) return field->message_type()->full_name();
    if (field->enum_type()) return field->enum_type()->full_name();
    return field->type_name();
}

/// The field that a JSON path ends with; NULL: there is none.
const pb::FieldDescriptor *find(const pb::Descriptor *message, const std::string &path,
                                bool *is_element) {
    const pb::FieldDescriptor *field = nullptr;
    size_t start = 0;
    while (message && start < path.size()) {
        size_t end = path.find('.', start);
        if (end == std::string::npos) end = path.size();
        std::string part = path.substr(start, end - start);
        start = end + 1;
        const size_t bracket = part.find('[');
        *is_element = bracket != std::string::npos;
        if (*is_element) part.resize(bracket);
        field = message->FindFieldByName(part);
        if (!field) field = message->FindFieldByCamelcaseName(part);
        if (!field) return nullptr;
        message = field->message_type();
        if (!message && start < path.size()) return nullptr;
    }
    return start >= path.size() ? field : nullptr;
}

}  // namespace

rocket_protobuf_bytes *rocket_protobuf_describe(
    const rocket_protobuf_schema *schema, const char *symbol) {
    try {
        const pb::DescriptorPool &pool = schema->pool;
        if (auto found = pool.FindServiceByName(symbol)) return definition(found);
        if (auto found = pool.FindMethodByName(symbol)) return definition(found);
        if (auto found = pool.FindMessageTypeByName(symbol)) return definition(found);
        if (auto found = pool.FindEnumTypeByName(symbol)) return definition(found);
        if (auto found = pool.FindFieldByName(symbol)) return definition(found);
        if (auto found = pool.FindExtensionByName(symbol)) return definition(found);
        if (auto found = pool.FindOneofByName(symbol)) return definition(found);
        if (auto found = pool.FindEnumValueByName(symbol)) return definition(found);
        if (auto found = pool.FindFileByName(symbol)) return definition(found);
    } catch (const std::exception &) {
        // As if there were none.
    }
    return nullptr;
}

rocket_protobuf_bytes *rocket_protobuf_names(
    const rocket_protobuf_schema *schema, const char *symbol) {
    try {
        std::string names;
        if (auto message = schema->pool.FindMessageTypeByName(symbol)) {
            for (int i = 0; i < message->field_count(); i++)
                names += message->field(i)->name() + "\n";
            return rocket::owned(names);
        }
        if (auto values = schema->pool.FindEnumTypeByName(symbol)) {
            for (int i = 0; i < values->value_count(); i++)
                names += values->value(i)->name() + "\n";
            return rocket::owned(names);
        }
    } catch (const std::exception &) {
        // As if there were none.
    }
    return nullptr;
}

rocket_protobuf_bytes *rocket_protobuf_type_at(
    const rocket_protobuf_schema *schema, const char *message, const char *path, int *is_enum) {
    *is_enum = 0;
    try {
        const pb::Descriptor *start = schema->pool.FindMessageTypeByName(message);
        if (start && !*path) return rocket::owned(start->full_name());
        bool is_element = false;
        const pb::FieldDescriptor *field = find(start, path, &is_element);
        if (!field) return nullptr;
        if (field->is_map() && !is_element) {
            const pb::Descriptor *entry = field->message_type();
            return rocket::owned("map<" + type_name(entry->FindFieldByNumber(1)) + ", " +
                                 type_name(entry->FindFieldByNumber(2)) + ">");
        }
        *is_enum = field->enum_type() != nullptr;
        if (field->is_repeated() && !is_element)
            return rocket::owned("repeated " + type_name(field));
        return rocket::owned(type_name(field));
    } catch (const std::exception &) {
        return nullptr;
    }
}
