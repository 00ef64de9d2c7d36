import SwiftProtobufPluginLibrary
import Testing

@testable import RocketGeneratorPlugin

@Suite("Options")
struct GeneratorOptionsTests {
    private func message(_ pairs: (key: String, value: String)...) -> String {
        do {
            _ = try GeneratorOptions(pairs: pairs)
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test("have defaults")
    func haveDefaults() throws {
        let options = try GeneratorOptions(pairs: [])
        #expect(options.visibility == .internal)
        #expect(options.server && options.client && options.accessLevelOnImports)
        #expect(options.descriptors)
        #expect(options.fileNaming == .fullPath)
        #expect(!options.moduleMappings.hasMappings)
    }

    @Test("are read")
    func areRead() throws {
        let options = try GeneratorOptions(pairs: [
            ("Visibility", "Package"), ("Client", "false"), ("UseAccessLevelOnImports", "false"),
            ("FileNaming", "DropPath"), ("Descriptors", "false"),
        ])
        #expect(!options.descriptors)
        #expect(options.visibility == .package)
        #expect(options.server && !options.client && !options.accessLevelOnImports)
        #expect(options.fileNaming == .dropPath)
    }

    @Test("that are unknown are refused with the known ones")
    func unknownAreRefused() {
        #expect(
            message(("visibility", "Public"))
                == "unknown option 'visibility': known are Visibility, Server, Client, "
                + "Descriptors, UseAccessLevelOnImports, ProtoPathModuleMappings, FileNaming")
    }

    @Test("with a wrong value are refused with the right ones")
    func wrongValuesAreRefused() {
        #expect(
            message(("Visibility", "Private"))
                == "Visibility=Private is not understood: use Public, Package or Internal")
        #expect(message(("Client", "no")) == "Client=no is not understood: use true or false")
        #expect(
            message(("FileNaming", "x"))
                == "FileNaming=x is not understood: use FullPath, PathToUnderscores or DropPath")
        #expect(message(("ProtoPathModuleMappings", "/nowhere/x")).contains("/nowhere/x"))
    }

    @Test("that leave nothing to generate are refused")
    func nothingIsRefused() {
        #expect(
            message(("Client", "false"), ("Server", "false"))
                == "Server=false,Client=false leaves nothing to generate")
    }

    @Test("are all in the help")
    func areAllInTheHelp() {
        for key in GeneratorOptions.keys {
            #expect(ServiceGenerator.help.contains("\n  \(key)="), "\(key)")
        }
    }

    @Test("say where a generated file goes")
    func sayWhereAFileGoes() {
        let path = "shop/v1/order.proto"
        #expect(FileNaming.fullPath.outputPath(forProto: path) == "shop/v1/order.rocket.swift")
        #expect(
            FileNaming.pathToUnderscores.outputPath(forProto: path) == "shop_v1_order.rocket.swift")
        #expect(FileNaming.dropPath.outputPath(forProto: path) == "order.rocket.swift")
        #expect(FileNaming.fullPath.outputPath(forProto: "odd.name") == "odd.name.rocket.swift")
    }
}
