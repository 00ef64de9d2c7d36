#include "schema.h"

#include <sys/stat.h>

#include <exception>
#include <mutex>

#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/type_resolver_util.h>

namespace pb = google::protobuf;

namespace rocket {

namespace {
/// libprotobuf writes errors to standard error beside reporting them.
void silence() {
    static std::once_flag once;
    std::call_once(once, [] { pb::SetLogHandler(nullptr); });
}
}  // namespace

rocket_protobuf_bytes *owned(std::string text) {
    try {
        return new rocket_protobuf_bytes{std::move(text)};
    } catch (const std::exception &) {
        return nullptr;
    }
}

void Issues::add(const std::string &file, int line, int column, const std::string &message) {
    if (all.size() < limit) all.push_back({file, line, column, message});
}

void Sources::add(const std::string &folder) { disk.MapPath("", folder); }

std::string Sources::name(const std::string &path) {
    std::string name, shadowing;
    switch (disk.DiskFileToVirtualFile(path, &name, &shadowing)) {
    case pb::compiler::DiskSourceTree::SUCCESS:
    case pb::compiler::DiskSourceTree::SHADOWED: return name;
    default: return "";
    }
}

pb::io::ZeroCopyInputStream *Sources::Open(const std::string &name) {
    std::string path;
    if (!disk.VirtualFileToDiskFile(name, &path)) {
        error = "there is no such file in the import paths";
        return nullptr;
    }
    struct stat status;
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        error = path + " is not a regular file";
        return nullptr;
    }
    bytes += static_cast<size_t>(status.st_size);
    if (bytes > limits.bytes) {
        error = "all files together have more than " + std::to_string(limits.bytes) + " bytes";
        return nullptr;
    }
    pb::io::ZeroCopyInputStream *stream = disk.Open(name);
    if (!stream) error = disk.GetLastErrorMessage();
    return stream;
}

}  // namespace rocket

rocket_protobuf_schema::rocket_protobuf_schema(rocket_protobuf_limits limits)
    : limits(limits), issues(limits.issues), sources(limits), parser(&sources) {
    parser.RecordErrorsTo(&issues);
    // From now on the parser records where everything is.
    parser.GetValidationErrorCollector();
}

/// Parses a file and what it imports, where they are not there yet. A loop, not a recursion: the files
/// decide how deep imports are.
bool rocket_protobuf_schema::load(const std::string &name) {
    std::vector<std::string> wanted = {name};
    while (!wanted.empty()) {
        const std::string next = wanted.back();
        wanted.pop_back();
        if (protos.count(next)) continue;
        if (protos.size() >= limits.files) {
            issues.add(next, 0, 0, "there are more than " + std::to_string(limits.files) + " files");
            return false;
        }
        auto proto = std::make_unique<pb::FileDescriptorProto>();
        // What has no file of its own, such as google/protobuf/any.proto, is libprotobuf's.
        const size_t before = issues.all.size();
        if (!parser.FindFileByName(next, proto.get())) {
            const pb::FileDescriptor *known =
                next.rfind("google/protobuf/", 0) == 0
                    ? pb::DescriptorPool::generated_pool()->FindFileByName(next)
                    : nullptr;
            if (!known) return false;
            issues.all.resize(before);
            proto->Clear();
            known->CopyTo(proto.get());
        }
        for (const std::string &import : proto->dependency()) wanted.push_back(import);
        protos.emplace(next, std::move(proto));
        names.push_back(next);
    }
    return true;
}

/// Builds a file behind all that it imports. A loop, as above.
bool rocket_protobuf_schema::build_file(const std::string &name) {
    struct Step {
        std::string name;
        int next;
    };
    std::vector<Step> stack = {{name, 0}};
    std::map<std::string, bool> open = {{name, true}};
    while (!stack.empty()) {
        const std::string current = stack.back().name;
        auto found = protos.find(current);
        if (found == protos.end()) {
            const pb::FileDescriptor *known =
                current.rfind("google/protobuf/", 0) == 0
                    ? pb::DescriptorPool::generated_pool()->FindFileByName(current)
                    : nullptr;
            if (!known) {
                const std::string importer =
                    stack.size() > 1 ? stack[stack.size() - 2].name : current;
                issues.add(importer, 0, 0, "the imported file '" + current + "' is missing");
                return false;
            }
            auto proto = std::make_unique<pb::FileDescriptorProto>();
            known->CopyTo(proto.get());
            found = protos.emplace(current, std::move(proto)).first;
        }
        const pb::FileDescriptorProto &proto = *found->second;
        if (stack.back().next < proto.dependency_size()) {
            const std::string import = proto.dependency(stack.back().next);
            stack.back().next += 1;
            if (pool.FindFileByName(import)) continue;
            if (open.count(import)) {
                issues.add(current, 0, 0, "the file imports itself through '" + import + "'");
                return false;
            }
            open[import] = true;
            stack.push_back({import, 0});
            continue;
        }
        if (!pool.FindFileByName(current) &&
            !pool.BuildFileCollectingErrors(proto, parser.GetValidationErrorCollector()))
            return false;
        open.erase(current);
        stack.pop_back();
    }
    return true;
}

rocket_protobuf_schema *rocket_protobuf_schema_create(rocket_protobuf_limits limits) {
    try {
        rocket::silence();
        return new rocket_protobuf_schema(limits);
    } catch (const std::exception &) {
        return nullptr;
    }
}

void rocket_protobuf_schema_free(rocket_protobuf_schema *schema) { delete schema; }

namespace {
/// Runs a step; an exception becomes an issue.
template <typename Step>
int guarded(rocket_protobuf_schema *schema, const char *file, Step step) {
    try {
        try {
            if (step()) return 1;
            if (schema->issues.all.empty()) schema->issues.add(file, 0, 0, "the file is not valid");
        } catch (const std::exception &error) {
            schema->issues.add(file, 0, 0, error.what());
        }
    } catch (const std::exception &) {
        // There is no memory for the text.
    }
    return 0;
}
}  // namespace

int rocket_protobuf_add_descriptor(rocket_protobuf_schema *schema, const void *bytes, size_t count) {
    return guarded(schema, "", [&] {
        auto proto = std::make_unique<pb::FileDescriptorProto>();
        schema->bytes += count;
        if (schema->bytes > schema->limits.bytes) {
            schema->issues.add("", 0, 0,
                               "all files together have more than " +
                                   std::to_string(schema->limits.bytes) + " bytes");
            return false;
        }
        if (!proto->ParsePartialFromArray(bytes, static_cast<int>(count)) ||
            !proto->IsInitialized()) {
            schema->issues.add("", 0, 0, "the bytes are no FileDescriptorProto");
            return false;
        }
        const std::string name = proto->name();
        if (name.empty()) {
            schema->issues.add("", 0, 0, "a FileDescriptorProto has no name");
            return false;
        }
        if (schema->protos.count(name)) return true;
        if (schema->protos.size() >= schema->limits.files) {
            schema->issues.add(
                name, 0, 0,
                "there are more than " + std::to_string(schema->limits.files) + " files");
            return false;
        }
        schema->protos.emplace(name, std::move(proto));
        schema->names.push_back(name);
        return true;
    });
}

void rocket_protobuf_add_import_path(rocket_protobuf_schema *schema, const char *folder) {
    guarded(schema, folder, [&] {
        schema->sources.add(folder);
        return true;
    });
}

int rocket_protobuf_add_proto(rocket_protobuf_schema *schema, const char *file) {
    return guarded(schema, file, [&] {
        const std::string name = schema->sources.name(file);
        return schema->load(name.empty() ? file : name);
    });
}

int rocket_protobuf_build(rocket_protobuf_schema *schema) {
    return guarded(schema, "", [&] {
        for (const std::string &name : schema->names) {
            if (!schema->build_file(name)) return false;
        }
        for (const std::string &name : schema->names) {
            const pb::FileDescriptor *file = schema->pool.FindFileByName(name);
            for (int i = 0; file && i < file->service_count(); i++)
                schema->services.push_back(file->service(i));
        }
        schema->types.reset(
            pb::util::NewTypeResolverForDescriptorPool("type.googleapis.com", &schema->pool));
        schema->messages = std::make_unique<pb::DynamicMessageFactory>(&schema->pool);
        return true;
    });
}

size_t rocket_protobuf_issue_count(const rocket_protobuf_schema *schema) {
    return schema->issues.all.size();
}

rocket_protobuf_issue rocket_protobuf_issue_at(const rocket_protobuf_schema *schema, size_t index) {
    const rocket::Issue &issue = schema->issues.all[index];
    return {issue.file.c_str(), issue.line, issue.column, issue.message.c_str()};
}
