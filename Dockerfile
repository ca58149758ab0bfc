# The product's one binary: okviz api | worker | migrate | …
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The clone stays out of the image, so say which version this is: --build-arg VERSION=v1.2.3
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -X github.com/okviz/licensing/engine.version=$VERSION" -o /okviz ./cmd/okviz

# Alpine brings certificates of authority, and wget for health checks.
FROM alpine:3.23
COPY --from=build /okviz /usr/local/bin/okviz
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["okviz"]
