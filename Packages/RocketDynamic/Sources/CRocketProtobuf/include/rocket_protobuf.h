#ifndef ROCKET_PROTOBUF_H
#define ROCKET_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// libprotobuf (3.21) as functions of C. No exception leaves them: where libprotobuf throws, or there is
// no memory, a function reports the error as text. Nothing is written to standard error.

/// Bytes that libprotobuf has made: text in UTF-8, or an encoded message. Owned:
/// rocket_protobuf_bytes_free. NULL: none.
typedef struct rocket_protobuf_bytes rocket_protobuf_bytes;

/// The first byte; never NULL, and followed by a zero.
const char *rocket_protobuf_bytes_data(const rocket_protobuf_bytes *bytes);
size_t rocket_protobuf_bytes_count(const rocket_protobuf_bytes *bytes);
void rocket_protobuf_bytes_free(rocket_protobuf_bytes *bytes);

// MARK: Schemas

/// The files of services and messages. One thread until rocket_protobuf_build has returned; any thread
/// afterwards.
typedef struct rocket_protobuf_schema rocket_protobuf_schema;

/// What is wrong with a file.
typedef struct {
    /// As in an import; never NULL.
    const char *file;
    /// Counted from 1; 0: of the file as a whole, or unknown.
    int line, column;
    /// Never NULL.
    const char *message;
} rocket_protobuf_issue;

typedef struct {
    /// The most files, imported ones included.
    size_t files;
    /// The most bytes of all files.
    size_t bytes;
    /// The most issues that are kept.
    size_t issues;
} rocket_protobuf_limits;

/// Returns a schema without files; NULL: there is no memory.
rocket_protobuf_schema *rocket_protobuf_schema_create(rocket_protobuf_limits limits);
void rocket_protobuf_schema_free(rocket_protobuf_schema *schema);

/// Adds a serialized google.protobuf.FileDescriptorProto; one whose name is there is ignored. What it
/// imports may be added later. Returns 0: it was not added, and an issue says why.
int rocket_protobuf_add_descriptor(rocket_protobuf_schema *schema, const void *bytes, size_t count);

/// Adds a folder in which .proto files are looked up, behind those that were added before.
void rocket_protobuf_add_import_path(rocket_protobuf_schema *schema, const char *folder);

/// Parses a .proto file, and all that it imports: the path of a file in one of the folders. Returns 0:
/// issues say why.
int rocket_protobuf_add_proto(rocket_protobuf_schema *schema, const char *file);

/// Checks and connects all files; call it once. Imports of google/protobuf/*.proto that are missing are
/// those of libprotobuf. Returns 0: issues say why, and the schema can only be freed.
int rocket_protobuf_build(rocket_protobuf_schema *schema);

size_t rocket_protobuf_issue_count(const rocket_protobuf_schema *schema);
/// Valid until the schema is changed or freed.
rocket_protobuf_issue rocket_protobuf_issue_at(const rocket_protobuf_schema *schema, size_t index);

// MARK: What a schema has

// Strings are valid until the schema is freed.

typedef struct {
    const char *name;
    const char *request, *response;
    int streams_requests, streams_responses;
} rocket_protobuf_method;

size_t rocket_protobuf_service_count(const rocket_protobuf_schema *schema);
/// The full name; services are in the order of the files.
const char *rocket_protobuf_service_name(const rocket_protobuf_schema *schema, size_t service);
/// The file that defines it.
const char *rocket_protobuf_service_file(const rocket_protobuf_schema *schema, size_t service);
size_t rocket_protobuf_method_count(const rocket_protobuf_schema *schema, size_t service);
rocket_protobuf_method rocket_protobuf_method_at(
    const rocket_protobuf_schema *schema, size_t service, size_t method);

/// Whether there is a message with that full name.
int rocket_protobuf_has_message(const rocket_protobuf_schema *schema, const char *name);

/// The definition of a file, service, method, message, enum, field or value, as in a .proto file, with
/// the comments where files were parsed; NULL: there is none.
rocket_protobuf_bytes *rocket_protobuf_describe(
    const rocket_protobuf_schema *schema, const char *symbol);

/// The names of the fields of a message, or of the values of an enum, each with a line feed; NULL: there
/// is neither with that name.
rocket_protobuf_bytes *rocket_protobuf_names(
    const rocket_protobuf_schema *schema, const char *symbol);

/// What a field takes in JSON, such as `int32`, `map<string, shop.Item>` or `shop.Kind`. `path` is as in
/// errors: `items[0].price`; empty: the message itself. `is_enum` says whether that is an enum. NULL: there
/// is no such field.
rocket_protobuf_bytes *rocket_protobuf_type_at(
    const rocket_protobuf_schema *schema, const char *message, const char *path, int *is_enum);

// MARK: Messages

/// What a conversion has made: `bytes`, or `error`. The other one is NULL; both are if there is no
/// memory.
typedef struct {
    rocket_protobuf_bytes *bytes;
    rocket_protobuf_bytes *error;
} rocket_protobuf_result;

/// Encodes JSON, which must be valid JSON, as a message with that full name. `limit`: the most bytes of
/// the message.
rocket_protobuf_result rocket_protobuf_encode(
    const rocket_protobuf_schema *schema, const char *message, const char *json, size_t count,
    size_t limit);

enum {
    /// Several lines, indented by one space for each level.
    ROCKET_PROTOBUF_PRETTY = 1,
    /// Fields without presence that have their defaults, too.
    ROCKET_PROTOBUF_DEFAULTS = 2,
    /// lowerCamelCase in place of the names in the .proto file.
    ROCKET_PROTOBUF_JSON_NAMES = 4,
};

/// Writes a message as JSON: fields by their numbers, maps by their keys.
rocket_protobuf_result rocket_protobuf_decode(
    const rocket_protobuf_schema *schema, const char *message, const void *bytes, size_t count,
    int options);

#ifdef __cplusplus
}
#endif

#endif
