import Foundation
import RocketDynamic
import RocketSystem
import SwiftProtobuf

/// A new folder that is deleted with its files when the last reference is released.
final class TemporaryFolder {
    let path: String

    init(_ files: [String: String]) throws {
        path = "/tmp/rocket-dynamic-\(UInt64.random(in: 0 ... .max))"
        try FileSystem.makeFolder(path)
        for (name, text) in files {
            try FileContents.write(Array(text.utf8), to: "\(path)/\(name)")
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// Schemas of the tests.
enum Schemas {
    static let shopFile = """
        syntax = "proto3";
        package shop.v1;
        import "google/protobuf/any.proto";
        import "google/protobuf/duration.proto";
        import "google/protobuf/field_mask.proto";
        import "google/protobuf/struct.proto";
        import "google/protobuf/timestamp.proto";
        import "google/protobuf/wrappers.proto";

        // What is bought.
        service Order {
          // Makes an order.
          rpc makeOrder(Want) returns (Item);
          rpc watch(Want) returns (stream Item);
          rpc add(stream Item) returns (Want);
          rpc talk(stream Item) returns (stream Item);
        }
        service Stock { rpc count(Want) returns (Item); }

        enum Kind { UNKNOWN = 0; FRUIT = 1; TOOL = 2; }

        message Item {
          string name = 1;
          int32 price = 2;
          Item part = 3;
        }
        message Want {
          int32 i32 = 1; int64 i64 = 2; uint32 u32 = 3; uint64 u64 = 4;
          sint32 s32 = 5; sint64 s64 = 6; fixed32 f32 = 7; fixed64 f64 = 8;
          sfixed32 sf32 = 9; sfixed64 sf64 = 10; float real = 11; double long_real = 12;
          bool flag = 13; string text = 14; bytes data = 15;
          Kind kind = 16;
          repeated Item items = 17;
          map<string, Item> by_name = 18;
          map<int32, string> by_number = 19;
          oneof choice { int32 number = 20; string word = 21; }
          google.protobuf.Any any = 22;
          google.protobuf.Timestamp at = 23;
          google.protobuf.Duration wait = 24;
          google.protobuf.Struct tree = 25;
          google.protobuf.FieldMask mask = 26;
          google.protobuf.Int64Value maybe = 27;
          optional int32 present = 28;
          repeated int32 numbers = 29;
        }
        """

    static func shop() throws -> DynamicSchema {
        try schema(["shop.proto": shopFile], of: "shop.proto")
    }

    static func schema(
        _ files: [String: String], of file: String, limits: DynamicSchemaLimits = .init()
    ) throws -> DynamicSchema {
        let folder = try TemporaryFolder(files)
        return try DynamicSchema(
            protoFiles: [file], importPaths: [folder.path], limits: limits)
    }
}
