import SwiftProtobufPluginLibrary
import Testing

@testable import RocketGeneratorPlugin

@Suite("Options of the plugin")
struct GeneratorOptionsTests {
    private func message(_ pairs: (key: String, value: String)...) -> String {
        do {
            _ = try GeneratorOptions(pairs: pairs)
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test("Have defaults")
    func haveDefaults() throws {
        let options = try GeneratorOptions(pairs: [])
        #expect(options.visibility == .internal)
        #expect(options.server && options.client && options.accessLevelOnImports)
        #expect(options.descriptors)
        #expect(options.fileNaming == .fullPath)
        #expect(!options.moduleMappings.hasMappings)
    }

    @Test("Are parsed")
    func areParsed() throws {
        let options = try GeneratorOptions(pairs: [
            ("Visibility", "Package"), ("Client", "false"), ("UseAccessLevelOnImports", "false"),
            ("FileNaming", "DropPath"), ("Descriptors", "false"),
        ])
        #expect(!options.descriptors)
        #expect(options.visibility == .package)
        #expect(options.server && !options.client && !options.accessLevelOnImports)
        #expect(options.fileNaming == .dropPath)
    }

    @Test("Rejects an unknown option and lists the valid ones")
    func rejectsUnknown() {
        #expect(
            message(("visibility", "Public"))
                == "unknown option 'visibility'; valid options: Visibility, Server, Client, "
                + "Descriptors, UseAccessLevelOnImports, ProtoPathModuleMappings, FileNaming")
    }

    @Test("Rejects an invalid value and lists the valid ones")
    func rejectsInvalidValues() {
        #expect(
            message(("Visibility", "Private"))
                == "Visibility=Private is invalid: use Public, Package or Internal")
        #expect(message(("Client", "no")) == "Client=no is invalid: use true or false")
        #expect(
            message(("FileNaming", "x"))
                == "FileNaming=x is invalid: use FullPath, PathToUnderscores or DropPath")
        #expect(message(("ProtoPathModuleMappings", "/nowhere/x")).contains("/nowhere/x"))
    }

    @Test("Rejects options that leave nothing to generate")
    func rejectsNothing() {
        #expect(
            message(("Client", "false"), ("Server", "false"))
                == "Server=false,Client=false leaves nothing to generate")
    }

    @Test("Are all in the help")
    func areAllInTheHelp() {
        for key in GeneratorOptions.keys {
            #expect(ServiceGenerator.help.contains("\n  \(key)="), "\(key)")
        }
    }

    @Test("Determine the path of a generated file")
    func determineThePath() {
        let path = "shop/v1/order.proto"
        #expect(FileNaming.fullPath.outputPath(forProto: path) == "shop/v1/order.rocket.swift")
        #expect(
            FileNaming.pathToUnderscores.outputPath(forProto: path) == "shop_v1_order.rocket.swift")
        #expect(FileNaming.dropPath.outputPath(forProto: path) == "order.rocket.swift")
        #expect(FileNaming.fullPath.outputPath(forProto: "odd.name") == "odd.name.rocket.swift")
    }
}
