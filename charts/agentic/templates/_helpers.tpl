{{- /* An image by its digest, where there is one. */}}
{{- define "agentic.image" -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end }}

{{- /* The endpoint slices of the API server: what `lookup` finds, or nothing. */}}
{{- define "agentic.apiSlices" -}}
{{- $found := list }}
{{- if .Values.cluster.lookup }}
{{- range (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "").items }}
{{- if eq (dig "metadata" "labels" "kubernetes.io/service-name" "" .) "kubernetes" }}
{{- $addresses := list }}
{{- range .endpoints }}{{ $addresses = concat $addresses .addresses }}{{ end }}
{{- $ports := list }}
{{- range .ports }}{{ $ports = append $ports (int .port) }}{{ end }}
{{- $found = append $found (dict "addresses" $addresses "ports" $ports) }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{- /* Addresses and ranges of the cluster, as JSON: what is given, and what `lookup` finds. */}}
{{- define "agentic.ranges" -}}
{{- $ranges := .Values.cluster.ranges }}
{{- range concat .Values.cluster.apiServer (include "agentic.apiSlices" . | fromJsonArray) }}
{{- $ranges = concat $ranges .addresses }}
{{- end }}
{{- if .Values.cluster.lookup }}
{{- range (lookup "v1" "Node" "" "").items }}
{{- with .spec.podCIDRs }}{{ $ranges = concat $ranges . }}{{ end }}
{{- range .status.addresses }}{{ if hasSuffix "IP" .type }}{{ $ranges = append $ranges .address }}{{ end }}{{ end }}
{{- end }}
{{- if .Capabilities.APIVersions.Has "networking.k8s.io/v1/ServiceCIDR" }}
{{- range (lookup "networking.k8s.io/v1" "ServiceCIDR" "" "").items }}{{ $ranges = concat $ranges .spec.cidrs }}{{ end }}
{{- end }}
{{- end }}
{{- $ranges | uniq | sortAlpha | toJson }}
{{- end }}

{{- define "agentic.cidr" -}}
{{- if contains "/" . }}{{ . }}{{ else if contains ":" . }}{{ . }}/128{{ else }}{{ . }}/32{{ end }}
{{- end }}

{{- /* Exceptions of 0.0.0.0/0, and those of 2000::/3, which the API server refuses where they are no part of it. */}}
{{- define "agentic.ranges4" -}}
{{- $found := list }}
{{- range include "agentic.ranges" . | fromJsonArray }}{{ if not (contains ":" .) }}{{ $found = append $found (include "agentic.cidr" .) }}{{ end }}{{ end }}
{{- $found | uniq | toJson }}
{{- end }}
{{- define "agentic.ranges6" -}}
{{- $found := list }}
{{- range include "agentic.ranges" . | fromJsonArray }}{{ if regexMatch "^[23][0-9a-fA-F]{3}:" . }}{{ $found = append $found (include "agentic.cidr" .) }}{{ end }}{{ end }}
{{- $found | uniq | toJson }}
{{- end }}

{{- define "agentic.denied" -}}
{{- concat .Values.egress.deny (include "agentic.ranges" . | fromJsonArray) | uniq | join "," }}
{{- end }}

{{- /* Rules that open the API server: its addresses, or `otherwise`. */}}
{{- define "agentic.apiServerRules" -}}
{{- $rules := list }}
{{- range default (include "agentic.apiSlices" .root | fromJsonArray) .root.Values.cluster.apiServer }}
{{- $to := list }}
{{- range .addresses }}{{ $to = append $to (dict "ipBlock" (dict "cidr" (include "agentic.cidr" .))) }}{{ end }}
{{- $ports := list }}
{{- range .ports }}{{ $ports = append $ports (dict "protocol" "TCP" "port" (int .)) }}{{ end }}
{{- /* A rule without addresses is one for all of them. */}}
{{- if $to }}{{ $rules = append $rules (dict "to" $to "ports" $ports) }}{{ end }}
{{- end }}
{{- toYaml (default .otherwise $rules) }}
{{- end }}

{{- /* Whether Knative asks publishers who they are. */}}
{{- define "agentic.authenticates" -}}
{{- $features := lookup "v1" "ConfigMap" "knative-eventing" "config-features" }}
{{- eq (lower (dig "data" "authentication-oidc" "" $features)) "enabled" }}
{{- end }}

{{- define "agentic.checksum" -}}
{{- list .Values.settings .Values.agentSettings .Values.store .Values.litellm.url .Values.telemetry .Values.review.url .Values.egress.deny | toJson | sha256sum | trunc 16 }}
{{- end }}

{{- /* The pod of a Job of ours: FUNCTION, the service account's name, whether it mounts our kinds. */}}
{{- define "agentic.job" -}}
{{- $root := .root }}
metadata:
  labels: { app.kubernetes.io/name: {{ .name }}, app.kubernetes.io/component: control }
spec:
  restartPolicy: {{ .restartPolicy | default "OnFailure" }}
  serviceAccountName: {{ .account }}
  enableServiceLinks: false
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    seccompProfile: { type: RuntimeDefault }
  containers:
    - name: {{ .name }}
      image: {{ include "agentic.image" $root.Values.image | quote }}
      env:
        - { name: FUNCTION, value: {{ .function }} }
        {{- with .env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      resources:
        {{- toYaml $root.Values.setup.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- if .kinds }}
        - { name: kinds, mountPath: /kinds, readOnly: true }
        {{- end }}
  volumes:
    - { name: tmp, emptyDir: {} }
    {{- if .kinds }}
    - name: kinds
      configMap: { name: agentic-kinds }
    {{- end }}
{{- end }}
