#ifndef ROCKET_PROTOBUF_SCHEMA_H
#define ROCKET_PROTOBUF_SCHEMA_H

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/type_resolver.h>

#include "rocket_protobuf.h"

struct rocket_protobuf_bytes {
    std::string text;
};

namespace rocket {

struct Issue {
    std::string file;
    int line = 0, column = 0;
    std::string message;
};

/// Files of the import paths: regular ones, with limits.
class Sources : public google::protobuf::compiler::SourceTree {
public:
    explicit Sources(rocket_protobuf_limits limits) : limits(limits) {}
    void add(const std::string &folder);
    /// The name by which a path is imported; empty: it is in no folder.
    std::string name(const std::string &path);
    google::protobuf::io::ZeroCopyInputStream *Open(const std::string &name) override;
    std::string GetLastErrorMessage() override { return error; }

private:
    google::protobuf::compiler::DiskSourceTree disk;
    rocket_protobuf_limits limits;
    size_t bytes = 0;
    std::string error;
};

/// What the parser and the pool report.
class Issues : public google::protobuf::compiler::MultiFileErrorCollector {
public:
    explicit Issues(size_t limit) : limit(limit) {}
    void AddError(const std::string &file, int line, int column,
                  const std::string &message) override {
        add(file, line + 1, column + 1, message);
    }
    void add(const std::string &file, int line, int column, const std::string &message);
    std::vector<Issue> all;

private:
    size_t limit;
};

/// The text as an owned result; NULL: there is no memory.
rocket_protobuf_bytes *owned(std::string text);

}  // namespace rocket

struct rocket_protobuf_schema {
    explicit rocket_protobuf_schema(rocket_protobuf_limits limits);
    bool load(const std::string &name);
    bool build_file(const std::string &name);

    rocket_protobuf_limits limits;
    rocket::Issues issues;
    rocket::Sources sources;
    google::protobuf::compiler::SourceTreeDescriptorDatabase parser;
    /// Not moved: the parser finds the places of errors by the addresses of messages.
    std::map<std::string, std::unique_ptr<google::protobuf::FileDescriptorProto>> protos;
    /// In the order in which they were added.
    std::vector<std::string> names;
    size_t bytes = 0;
    google::protobuf::DescriptorPool pool;
    std::vector<const google::protobuf::ServiceDescriptor *> services;
    std::unique_ptr<google::protobuf::util::TypeResolver> types;
    mutable std::unique_ptr<google::protobuf::DynamicMessageFactory> messages;
};

#endif
