import RocketGeneratorPlugin
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Converts the descriptor of a .proto file into a `ProjectModel`.
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

    /// - Throws: `GeneratorFailure` with all problems of the file in protoc's error format.
    func read(_ file: FileDescriptor) throws -> ProjectModel {
        try requireMethods(in: file)
        let models: [(FileModel, ModuleScope)]
        do {
            models = try ModelReader(mappings: ProtoFileToModuleMappings()).read([file])
        } catch let failure as GenerationFailure {
            throw GeneratorFailure(
                "no project can be generated from \(file.name)",
                details: failure.problems.map(\.description))
        }
        guard let (model, scope) = models.first else {
            throw GeneratorFailure("no services were generated from \(file.name)")
        }
        let names = ProjectNames(scope: scope)
        let methods = Set(file.services.flatMap(\.methods).map(\.fullName))
        var free = FreeNames(
            scope: scope, reserved: names.reserved,
            old: old.filter { methods.contains($0.fullName) })
        let services = zip(model.services, file.services).map { service, descriptor in
            self.service(service, descriptor, &free)
        }
        return ProjectModel(
            name: name, protoPath: file.name, port: port, rocket: rocket, names: names,
            services: services)
    }

    private func requireMethods(in file: FileDescriptor) throws(GeneratorFailure) {
        let missing = file.services.isEmpty ? "service" : "method in its services"
        if file.services.allSatisfy(\.methods.isEmpty) {
            throw GeneratorFailure("\(file.name) has no \(missing): there is nothing to serve")
        }
    }

    private func service(
        _ service: ServiceModel, _ descriptor: ServiceDescriptor, _ free: inout FreeNames
    ) -> ProjectService {
        let implementation = free.implementation(of: service)
        let methods = zip(service.methods, descriptor.methods).map { method, descriptor in
            ProjectMethod(
                model: method, fullName: "\(service.fullName).\(method.name)",
                methodsName: service.methodsName, clientName: service.clientName,
                implementation: implementation,
                interface: free.interface(of: method, in: service),
                testClient: free.testClient(of: method, in: service),
                requestFields: RequiredFields(of: descriptor.inputType, in: descriptor.file),
                responseFields: RequiredFields(of: descriptor.outputType, in: descriptor.file),
                signature:
                    "(\(descriptor.inputType.fullName)) returns (\(descriptor.outputType.fullName))"
            )
        }
        return ProjectService(model: service, implementation: implementation, methods: methods)
    }
}
