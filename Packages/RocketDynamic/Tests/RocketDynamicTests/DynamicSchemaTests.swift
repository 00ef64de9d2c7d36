import RocketBaseTestKit
import RocketDynamic
import SwiftProtobuf
import Testing

@Suite struct DynamicSchemaTests {
    @Test("Services and methods are listed with their kinds")
    func services() throws {
        let schema = try Schemas.shop()
        #expect(schema.services.map(\.name) == ["shop.v1.Order", "shop.v1.Stock"])
        #expect(schema.services[0].file == "shop.proto")
        let methods = schema.services[0].methods
        #expect(methods.map(\.name) == ["makeOrder", "watch", "add", "talk"])
        #expect(methods.map(\.streamsRequests) == [false, false, true, true])
        #expect(methods.map(\.streamsResponses) == [false, true, false, true])
        #expect(methods[0].fullName == "shop.v1.Order.makeOrder")
        #expect(methods[0].request == "shop.v1.Want")
        #expect(methods[0].response == "shop.v1.Item")
    }

    @Test(
        "A method is found by its full name, by gRPC's path and by the end of its name",
        arguments: [
            "shop.v1.Order.makeOrder", "shop.v1.Order/makeOrder", "/shop.v1.Order/makeOrder",
            "Order.makeOrder", "Order/makeOrder", "makeOrder",
        ])
    func find(name: String) throws {
        #expect(try Schemas.shop().method(named: name).fullName == "shop.v1.Order.makeOrder")
    }

    @Test(
        "A name that is not there is answered with the nearest one",
        arguments: [
            (
                "Order.makeOder",
                "there is no method 'Order.makeOder'; did you mean shop.v1.Order.makeOrder?"
            ),
            (
                "Ordre.makeOrder",
                "there is no method 'Ordre.makeOrder'; did you mean shop.v1.Order.makeOrder?"
            ),
            (
                "Stock.fetchAll",
                "there is no method 'Stock.fetchAll' (known: shop.v1.Stock.count)"
            ),
        ])
    func misspelt(name: String, text: String) throws {
        let schema = try Schemas.shop()
        let error = #expect(throws: UnknownSymbol.self) { try schema.method(named: name) }
        #expect(error?.description == text)
    }

    @Test("A name that several methods end with is refused with all of them")
    func ambiguous() throws {
        let file = """
            syntax = "proto3"; package a; message M {}
            service A { rpc get(M) returns (M); } service B { rpc get(M) returns (M); }
            """
        let schema = try Schemas.schema(["a.proto": file], of: "a.proto")
        let error = #expect(throws: UnknownSymbol.self) { try schema.method(named: "get") }
        #expect(error?.description == "'get' is the name of several methods: a.A.get, a.B.get")
    }

    @Test("A symbol is described as in its file, with the comments")
    func describe() throws {
        let schema = try Schemas.shop()
        let service = try #require(schema.describe("shop.v1.Order"))
        #expect(service.contains("// Makes an order."))
        #expect(service.contains("rpc talk(stream .shop.v1.Item) returns (stream .shop.v1.Item);"))
        #expect(schema.describe("shop.v1.Order.makeOrder")?.contains("rpc makeOrder") == true)
        #expect(schema.describe("shop.v1.Kind")?.contains("FRUIT = 1;") == true)
        #expect(schema.describe("shop.v1.Item")?.contains("int32 price = 2;") == true)
        #expect(schema.describe("shop.v1.Item.price")?.contains("int32 price = 2;") == true)
        #expect(schema.describe("shop.proto")?.contains("package shop.v1;") == true)
        #expect(schema.describe("shop.v1.Nothing") == nil)
        #expect(schema.names(of: "shop.v1.Kind") == ["UNKNOWN", "FRUIT", "TOOL"])
        #expect(schema.names(of: "shop.v1.Item") == ["name", "price", "part"])
        #expect(schema.hasMessage(named: "shop.v1.Item"))
        #expect(!schema.hasMessage(named: "shop.v1.Kind"))
    }

    @Test("Errors in .proto files have the file, the line and the column")
    func errors() throws {
        func issues(_ files: [String: String]) -> [String] {
            do {
                _ = try Schemas.schema(files, of: "a.proto")
                return []
            } catch let error as DynamicSchemaError {
                return error.issues.map(\.description)
            } catch { return ["\(error)"] }
        }
        #expect(
            issues(["a.proto": "syntax = \"proto3\";\nmessage M { int32 x 1; }\n"])
                == ["a.proto:2:21: Missing field number."])
        #expect(
            issues(["a.proto": "syntax = \"proto3\";\nmessage M {\n  Prise x = 1;\n}\n"])
                == ["a.proto:3:3: \"Prise\" is not defined."])
        let missing = issues(["a.proto": "syntax = \"proto3\";\nimport \"b.proto\";\n"])
        #expect(missing == ["b.proto: there is no such file in the import paths"])
        let loop = issues([
            "a.proto": "syntax = \"proto3\"; import \"b.proto\";",
            "b.proto": "syntax = \"proto3\"; import \"a.proto\";",
        ])
        #expect(loop == ["b.proto: the file imports itself through 'a.proto'"])
        #expect(issues([:]) == ["a.proto: there is no such file in the import paths"])
    }

    @Test("A file is found by its path where an import path has it")
    func paths() throws {
        let folder = try TemporaryFolder(["shop.proto": Schemas.shopFile])
        let schema = try DynamicSchema(
            protoFiles: ["\(folder.path)/shop.proto"], importPaths: [folder.path])
        #expect(schema.services.map(\.file) == ["shop.proto", "shop.proto"])
    }

    @Test("The number of files and their bytes are limited")
    func limits() throws {
        var limits = DynamicSchemaLimits()
        limits.files = 3
        #expect(throws: DynamicSchemaError.self) {
            try Schemas.schema(["shop.proto": Schemas.shopFile], of: "shop.proto", limits: limits)
        }
        limits = DynamicSchemaLimits()
        limits.fileBytes = 100
        #expect(throws: DynamicSchemaError.self) {
            try Schemas.schema(["shop.proto": Schemas.shopFile], of: "shop.proto", limits: limits)
        }
    }
}

/// Descriptors, as reflection returns them.
@Suite struct DescriptorTests {
    private static let order = Google_Protobuf_FileDescriptorProto.with { file in
        file.name = "order.proto"
        file.package = "shop"
        file.syntax = "proto3"
        file.dependency = ["item.proto", "google/protobuf/timestamp.proto"]
        file.service = [
            .with { service in
                service.name = "Order"
                service.method = [
                    .with { method in
                        method.name = "make"
                        method.inputType = ".shop.Item"
                        method.outputType = ".google.protobuf.Timestamp"
                    }
                ]
            }
        ]
    }
    private static let item = Google_Protobuf_FileDescriptorProto.with { file in
        file.name = "item.proto"
        file.package = "shop"
        file.syntax = "proto3"
        file.messageType = [
            .with { message in
                message.name = "Item"
                message.field = [
                    .with { field in
                        field.name = "unit_price"
                        field.number = 1
                        field.type = .int32
                        field.label = .optional
                    }
                ]
            }
        ]
    }

    @Test("Descriptors are taken in any order, with libprotobuf's own files where they are missing")
    func anyOrder() throws {
        for files in [[Self.order, Self.item], [Self.item, Self.order, Self.item]] {
            let schema = try DynamicSchema(
                descriptors: files.map { try $0.serializedBytes() as [UInt8] })
            #expect(schema.services.map(\.name) == ["shop.Order"])
            let method = try schema.method(named: "Order.make")
            #expect(try schema.encode(json: #"{"unitPrice":3}"#, as: method.request) == [8, 3])
            #expect(try schema.decode([], as: method.response) == #""1970-01-01T00:00:00Z""#)
        }
    }

    @Test("A missing import is an error that names it")
    func missing() throws {
        let bytes: [UInt8] = try Self.order.serializedBytes()
        let error = #expect(throws: DynamicSchemaError.self) {
            try DynamicSchema(descriptors: [bytes])
        }
        #expect(
            error?.issues.map(\.description)
                == ["order.proto: the imported file 'item.proto' is missing"])
    }

    @Test("Bytes that are no descriptor are an error")
    func noDescriptor() {
        for bytes: [UInt8] in [[0xFF], [], [0x0A, 0x01], [0x0A, 0x00]] {
            #expect(throws: DynamicSchemaError.self) { try DynamicSchema(descriptors: [bytes]) }
        }
    }

    @Test("Damaged descriptors are refused or used, and crash nothing", arguments: [1, 2, 3])
    func damaged(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let shop = try Google_Protobuf_FileDescriptorProto(serializedBytes: ShopDescriptor.bytes())
        let original: [UInt8] = try shop.serializedBytes()
        var usable = 0
        for _ in 0..<1500 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            guard let schema = try? DynamicSchema(descriptors: [bytes]) else { continue }
            usable += 1
            for method in schema.services.flatMap(\.methods) {
                let bytes = try? schema.encode(
                    json: #"{"i32":5,"text":"x","items":[{"price":1}]}"#, as: method.request)
                _ = try? schema.decode(bytes ?? [8, 5, 0x72, 1, 65], as: method.request)
                _ = schema.describe(method.fullName)
                _ = schema.describe(method.request)
            }
        }
        #expect(usable > 0, "seed \(seed)")
    }

    @Test("Damaged messages are refused or read, and crash nothing", arguments: [1, 2])
    func damagedMessages(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let schema = try Schemas.shop()
        let original = try schema.encode(
            json: """
                {"i64":5,"text":"x","items":[{"name":"a","part":{"price":2}}],"by_name":{"a":{}},
                 "any":{"@type":"type.googleapis.com/shop.v1.Item","price":4},"wait":"1s",
                 "at":"2026-11-30T01:02:03Z","tree":{"a":[1,{"b":null}]},"mask":"text","maybe":"1"}
                """, as: "shop.v1.Want")
        var read = 0
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            if (try? schema.decode(bytes, as: "shop.v1.Want")) != nil { read += 1 }
        }
        #expect(read > 0, "seed \(seed)")
    }
}

/// The descriptor of `Schemas.shopFile`, through protoc's own compiler.
enum ShopDescriptor {
    static func bytes() throws -> [UInt8] {
        // The text of a schema that was made from files has no bytes: they are made here by hand.
        try Google_Protobuf_FileDescriptorProto.with { file in
            file.name = "shop.proto"
            file.package = "shop.v1"
            file.syntax = "proto3"
            file.messageType = [
                .with { message in
                    message.name = "Item"
                    message.field = [
                        field("name", 1, .string), field("price", 2, .int32),
                        field("part", 3, .message, ".shop.v1.Item"),
                    ]
                },
                .with { message in
                    message.name = "Want"
                    message.field = [
                        field("i32", 1, .int32), field("text", 14, .string),
                        field("kind", 16, .enum, ".shop.v1.Kind"),
                        field("items", 17, .message, ".shop.v1.Item", .repeated),
                        field("by_name", 18, .message, ".shop.v1.Want.ByNameEntry", .repeated),
                    ]
                    message.nestedType = [
                        .with { entry in
                            entry.name = "ByNameEntry"
                            entry.field = [
                                field("key", 1, .string),
                                field("value", 2, .message, ".shop.v1.Item"),
                            ]
                            entry.options.mapEntry = true
                        }
                    ]
                },
            ]
            file.enumType = [
                .with { values in
                    values.name = "Kind"
                    values.value = [.with { $0.name = "UNKNOWN" }]
                }
            ]
            file.service = [
                .with { service in
                    service.name = "Order"
                    service.method = [
                        .with { method in
                            method.name = "makeOrder"
                            method.inputType = ".shop.v1.Want"
                            method.outputType = ".shop.v1.Item"
                        }
                    ]
                }
            ]
        }.serializedBytes()
    }

    private static func field(
        _ name: String, _ number: Int32, _ type: Google_Protobuf_FieldDescriptorProto.TypeEnum,
        _ typeName: String = "",
        _ label: Google_Protobuf_FieldDescriptorProto.Label = .optional
    ) -> Google_Protobuf_FieldDescriptorProto {
        .with { field in
            field.name = name
            field.number = number
            field.type = type
            field.label = label
            if !typeName.isEmpty { field.typeName = typeName }
        }
    }
}
