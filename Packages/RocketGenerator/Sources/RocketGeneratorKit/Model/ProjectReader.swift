import RocketGeneratorPlugin
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Converts the descriptors of .proto files into a `ProjectModel`.
struct ProjectReader {
    let name: ProjectName
    let port: UInt16
    let rocket: RocketSource
    /// Records of the methods from the previous run.
    let old: [MethodRecord.Entry]

    init(
        name: ProjectName, port: UInt16, rocket: RocketSource, old: [MethodRecord.Entry] = []
    ) {
        self.name = name
        self.port = port
        self.rocket = rocket
        self.old = old
    }

    /// - Throws: `GeneratorFailure` with all problems of the files in protoc's error format.
    func read(_ files: [FileDescriptor]) throws -> ProjectModel {
        let paths = files.map(\.name)
        try requireMethods(in: files)
        let models: [(FileModel, ModuleScope)]
        do {
            models = try ModelReader(mappings: ProtoFileToModuleMappings()).read(files)
        } catch let failure as GenerationFailure {
            throw GeneratorFailure(
                "no project can be generated from \(paths.joined(separator: ", "))",
                details: failure.problems.map(\.description))
        }
        guard let scope = models.first?.1 else {
            throw GeneratorFailure(
                "no services were generated from \(paths.joined(separator: ", "))")
        }
        let names = ProjectNames(scope: scope)
        let descriptors = files.flatMap(\.services)
        let methods = Set(descriptors.flatMap(\.methods).map(\.fullName))
        var free = FreeNames(
            scope: scope, reserved: names.reserved, program: name.program,
            old: old.filter { methods.contains($0.fullName) })
        let services = zip(models.flatMap(\.0.services), descriptors).map { service, descriptor in
            self.service(service, descriptor, &free)
        }
        return ProjectModel(
            name: name, protoPaths: paths, port: port, rocket: rocket, names: names,
            services: services)
    }

    private func requireMethods(in files: [FileDescriptor]) throws(GeneratorFailure) {
        let services = files.flatMap(\.services)
        guard services.allSatisfy(\.methods.isEmpty) else { return }
        let missing = services.isEmpty ? "service" : "method in its services"
        let paths = files.map(\.name).joined(separator: " and ")
        throw GeneratorFailure("\(paths) has no \(missing): there is nothing to serve")
    }

    private static func signature(of method: MethodDescriptor) -> String {
        let request = (method.clientStreaming ? "stream " : "") + method.inputType.fullName
        let response = (method.serverStreaming ? "stream " : "") + method.outputType.fullName
        return "(\(request)) returns (\(response))"
    }

    private func service(
        _ service: ServiceModel, _ descriptor: ServiceDescriptor, _ free: inout FreeNames
    ) -> ProjectService {
        let implementation = free.implementation(of: service)
        let testClient = free.testClient(of: service)
        let methods = zip(service.methods, descriptor.methods).map { method, descriptor in
            ProjectMethod(
                model: method, fullName: "\(service.fullName).\(method.name)",
                methodsName: service.methodsName, clientName: service.clientName,
                implementation: implementation,
                interface: free.interface(of: method, in: service), testClient: testClient,
                isDeprecated: method.isDeprecated || service.isDeprecated,
                requestFields: RequiredFields(of: descriptor.inputType, in: descriptor.file),
                responseFields: RequiredFields(of: descriptor.outputType, in: descriptor.file),
                signature: Self.signature(of: descriptor))
        }
        return ProjectService(
            model: service, protoPath: descriptor.file.name, implementation: implementation,
            testClient: testClient,
            methods: methods)
    }
}
